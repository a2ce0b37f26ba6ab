import { ApiProperty } from '@nestjs/swagger';
import { IsUrl, ValidateBy } from 'class-validator';
import { TextLength } from '../../platform/http/text-length';

const MESSAGE = 'url must be an https: URL';

/** Characters that other programs read as another address: backslashes, white space, and marks that turn the text round. */
const MISLEADING = /[\\\s\p{C}]/u;

/** What the platform cannot parse it cannot call: zones of addresses, labels that are no punycode, numbers too large. */
const Parsable = (): PropertyDecorator =>
  ValidateBy(
    {
      name: 'isUrl',
      validator: { validate: (value) => typeof value === 'string' && !MISLEADING.test(value) && URL.canParse(value) },
    },
    { message: MESSAGE },
  );

/** Body of POST /v1/webhooks. */
export class CreateWebhookDto {
  @ApiProperty({
    type: String,
    maxLength: 2000,
    description: 'Where messages are sent: a public https: address.',
    example: 'https://hooks.example.com/gigvault',
  })
  @TextLength(0, 2_000)
  @IsUrl({ protocols: ['http', 'https'], require_protocol: true, require_tld: false }, { message: MESSAGE })
  @Parsable()
  url: string;
}
