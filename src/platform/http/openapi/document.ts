import { type INestApplication, type Type, VersioningType } from '@nestjs/common';
import { DocumentBuilder, SwaggerModule, type OpenAPIObject } from '@nestjs/swagger';
import { BEARER } from '../access/access';
import { addCommonParts } from './common-parts';
import { completeLists } from './operations';
import { describeRequests } from './requests';
import { NestFactory } from '@nestjs/core';
import { FastifyAdapter } from '@nestjs/platform-fastify';

const DESCRIPTION = `Gigvault is a backend for freelancers on Upwork. You run it yourself and keep your own keys.

- **Authentication**: send the \`accessToken\` of \`POST /v1/auth/login\` as a bearer token. Before it expires
  (\`expiresIn\` seconds), \`POST /v1/auth/refresh\` returns a new pair of tokens.
- **Step-up**: sensitive routes also require \`POST /v1/auth/step-up\` within the last 10 minutes.
- **Errors**: \`application/problem+json\` (RFC 9457) with a stable \`code\`, listed at [/docs/errors](/docs/errors).
- **Lists**: \`{items, nextCursor}\`. Send \`nextCursor\` as \`cursor\` for the next page; null marks the last page.
- **Values**: money is a decimal string with a currency. Times are RFC 3339 in UTC.
- **Versions**: single resources have an ETag. Send it as If-Match to change only the version you know.
- **Retries**: an Idempotency-Key makes a POST safe to repeat for 24 hours.
- **Limits**: RateLimit shows the requests you have left. Wait for the seconds in Retry-After on 429 and 503.

In Swagger UI, "Try it out" fills in the ids of your newest rows once you are authorized, and the tokens of your last
sign-in on the page.`;

/** Tags in the order of the documentation: from sign-up to operation. */
const TAGS: readonly { readonly name: string; readonly description: string }[] = [
  { name: 'Auth', description: 'Sign-up, sign-in, sessions and two-factor sign-in.' },
  { name: 'Users', description: 'Your account: data, export and erasure.' },
  { name: 'Tokens', description: 'Connections to Upwork (OAuth 2.0).' },
  { name: 'Jobs', description: 'Jobs on Upwork: store, search and import them.' },
  {
    name: 'Sync',
    description: 'Saved searches, and the import of jobs, proposals and messages from Upwork.',
  },
  { name: 'Webhooks', description: 'URLs that receive new matches of your saved searches, and their deliveries.' },
  { name: 'Proposals', description: 'Proposals for jobs, from draft to decision.' },
  { name: 'Messages', description: 'Conversations with clients.' },
  { name: 'Profile', description: 'Your skills and experience, which AI drafts use.' },
  { name: 'AI', description: 'Texts by language models, their cost and your budget.' },
  { name: 'Analytics', description: 'Statistics of your jobs and proposals, and your own metrics.' },
  { name: 'Audit', description: 'The history of your data: each change, its time and its author.' },
  { name: 'Admin', description: 'Operation of the server, for admins.' },
  { name: 'Development', description: 'Tools for development. Absent in production.' },
  { name: 'Health', description: 'Liveness and readiness probes.' },
];

/** Returns the OpenAPI 3.1 document of an initialized application. It is the same on every machine. */
export function buildOpenApiDocument(app: INestApplication): OpenAPIObject {
  const base = new DocumentBuilder()
    .setOpenAPIVersion('3.1.0')
    .setTitle('Gigvault')
    .setDescription(DESCRIPTION)
    .setVersion('1')
    .addServer('/', 'This server.')
    .setLicense('MIT', 'https://opensource.org/license/mit')
    .addBearerAuth(
      { type: 'http', scheme: 'bearer', bearerFormat: 'JWT', description: 'The accessToken of POST /v1/auth/login.' },
      BEARER,
    )
    .build();
  const document = SwaggerModule.createDocument(app, base);
  const used = new Set(Object.values(document.paths).flatMap((item) => listTags(item)));
  document.tags = TAGS.filter(({ name }) => used.delete(name));
  // Tags without a description come last.
  document.tags.push(...[...used].sort().map((name) => ({ name })));
  describeRequests(document);
  completeLists(document);
  return addCommonParts(document);
}

function listTags(item: object): string[] {
  return Object.values(item).flatMap((operation: { tags?: string[] }) => operation.tags ?? []);
}

/**
 * Returns the OpenAPI document of a root module as the checked-in text. Nest's preview mode knows the routes without
 * creating services, so nothing is started or connected.
 */
export async function writeOpenApiContract(module: Type): Promise<string> {
  const app = await NestFactory.create(module, new FastifyAdapter(), {
    preview: true,
    abortOnError: false,
    logger: ['error'],
  });
  app.enableVersioning({ type: VersioningType.URI });
  return `${JSON.stringify(buildOpenApiDocument(app), null, 2)}\n`;
}
