import { PartialType } from '@nestjs/swagger';
import { CreateJobDto } from './create-job.dto';

/**
 * Body of PATCH /v1/jobs/:id, a JSON merge patch: what is left out stays, null clears what may be empty. A status of
 * active brings a deleted job back.
 * @see RFC 7396
 */
export class UpdateJobDto extends PartialType(CreateJobDto, { skipNullProperties: false }) {}
