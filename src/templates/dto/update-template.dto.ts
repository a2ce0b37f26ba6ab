import { PartialType } from '@nestjs/swagger';
import { CreateTemplateDto } from './create-template.dto';

/** A merge patch of a template. */
export class UpdateTemplateDto extends PartialType(CreateTemplateDto, { skipNullProperties: false }) {}
