import { ApiProperty } from '@nestjs/swagger';
import { IsUrl } from 'class-validator';
import { TextLength } from '../../platform/http/text-length';

/** Body of POST /v1/webhooks. */
export class CreateWebhookDto {
  @ApiProperty({ type: String, maxLength: 2000, description: 'Where messages are sent: a public https: address.', example: 'https://hooks.example.com/gigvault' })
  @TextLength(0, 2_000)
  @IsUrl({ protocols: ['http', 'https'], require_protocol: true, require_tld: false }, { message: 'url must be an https: URL' })
  url: string;
}
