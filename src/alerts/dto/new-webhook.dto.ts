import { ApiProperty } from '@nestjs/swagger';
import { WebhookDto } from './webhook.dto';

/** A webhook with the secret that was made just now. */
export class NewWebhookDto extends WebhookDto {
  @ApiProperty({
    type: String,
    description: 'Verifies the signatures. Shown only now.',
    example: 'whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw',
  })
  secret: string;
}
