import { PartialType } from '@nestjs/swagger';
import { CreateSavedSearchDto } from './create-saved-search.dto';

/** A merge patch of a saved search: what is left out stays, null clears what may be empty. */
export class UpdateSavedSearchDto extends PartialType(CreateSavedSearchDto, { skipNullProperties: false }) {}
