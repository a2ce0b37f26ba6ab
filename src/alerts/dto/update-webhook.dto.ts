import { ApiPropertyOptional, PartialType } from '@nestjs/swagger';
import { IsBoolean } from 'class-validator';
import { OptionalField } from '../../platform/http/fields';
import { CreateWebhookDto } from './create-webhook.dto';

/** A merge patch of a webhook. */
export class UpdateWebhookDto extends PartialType(CreateWebhookDto, { skipNullProperties: false }) {
  @ApiPropertyOptional({ type: Boolean, description: 'Off: nothing is sent, and new matches wait.', example: true })
  @OptionalField()
  @IsBoolean()
  isActive?: boolean;
}
