import { ApiProperty } from '@nestjs/swagger';
import { IsDefined } from 'class-validator';
import { IntegerParam } from '../../platform/http/fields';
import { PageQueryDto } from '../../platform/http/page-query.dto';

/** Whose versions. */
export class ListLetterVersionsDto extends PageQueryDto {
  @ApiProperty({ type: 'integer', minimum: 1, description: 'The proposal.', example: 7 })
  @IsDefined({ message: 'proposalId is needed' })
  @IntegerParam(1, Number.MAX_SAFE_INTEGER)
  proposalId: number;
}
