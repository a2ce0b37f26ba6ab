import type { INestApplication } from '@nestjs/common';
import { DocumentBuilder, SwaggerModule, type OpenAPIObject } from '@nestjs/swagger';
import { BEARER } from './access';
import { addCommonParts } from './openapi-common';

const DESCRIPTION = `The backend a freelancer runs to work on Upwork without trusting anyone with the keys.

Errors are \`application/problem+json\` (RFC 9457) with a stable \`code\`, listed at [/docs/errors](/docs/errors).
Lists answer \`{items, nextCursor}\`; give \`nextCursor\` as \`cursor\` for the next page. Money is a decimal string with
its currency, times are RFC 3339 in UTC. Single resources have an ETag: send it as If-Match to change only the version
you know. An Idempotency-Key on a POST makes repeating it safe.`;

/** Returns the OpenAPI 3.1 document of an initialised application, the same on every machine. */
export function openapiDocument(app: INestApplication): OpenAPIObject {
  const base = new DocumentBuilder()
    .setOpenAPIVersion('3.1.0')
    .setTitle('Gigvault')
    .setDescription(DESCRIPTION)
    .setVersion('1')
    .setLicense('MIT', 'https://opensource.org/license/mit')
    .addBearerAuth(
      { type: 'http', scheme: 'bearer', bearerFormat: 'JWT', description: 'The accessToken of POST /v1/auth/login.' },
      BEARER,
    )
    .build();
  const document = SwaggerModule.createDocument(app, base, {
    operationIdFactory: (controller, method) => `${controller.replace(/Controller$/, '')}.${method}`,
  });
  return addCommonParts(document);
}
