import { ApiProperty } from '@nestjs/swagger';
import { IsUrl, MaxLength } from 'class-validator';

/** Body of POST /v1/webhooks. */
export class CreateWebhookDto {
  @ApiProperty({ type: String, maxLength: 2000, description: 'Where messages are sent: a public https: address.', example: 'https://hooks.example.com/gigvault' })
  @MaxLength(2_000)
  @IsUrl({ protocols: ['http', 'https'], require_protocol: true, require_tld: false }, { message: 'url must be an https: URL' })
  url: string;
}
