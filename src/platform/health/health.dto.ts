import { ApiExtraModels, ApiProperty, ApiPropertyOptional, getSchemaPath } from '@nestjs/swagger';

/** Liveness in API responses. */
export class LivenessDto {
  @ApiProperty({ enum: ['ok'], description: 'Always `ok`.', example: 'ok' })
  status: 'ok';
}

/** Result of one check in API responses. */
export class CheckResultDto {
  @ApiProperty({
    enum: ['ok', 'warning', 'failed'],
    description: 'Result of the check. Only `failed` makes the process not ready.',
    example: 'ok',
  })
  status: 'ok' | 'warning' | 'failed';

  @ApiPropertyOptional({ type: String, description: 'Reason, if the result is not `ok`.', example: 'disk full' })
  detail?: string;
}

/** Readiness in API responses. */
@ApiExtraModels(CheckResultDto)
export class ReadinessDto {
  @ApiProperty({ enum: ['ready', 'not_ready'], description: 'Readiness of the process.', example: 'ready' })
  status: 'ready' | 'not_ready';

  @ApiProperty({
    type: 'object',
    additionalProperties: { $ref: getSchemaPath(CheckResultDto) },
    description: 'Results by name of the check.',
    example: { postgres: { status: 'ok' }, redis: { status: 'ok' } },
  })
  checks: Readonly<Record<string, CheckResultDto>>;
}
