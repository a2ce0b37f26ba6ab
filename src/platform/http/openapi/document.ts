import { type INestApplication, type Type, VersioningType } from '@nestjs/common';
import { DocumentBuilder, SwaggerModule, type OpenAPIObject } from '@nestjs/swagger';
import { BEARER } from '../access/access';
import { addCommonParts } from './common-parts';
import { completeLists } from './operations';
import { describeRequests } from './requests';
import { NestFactory } from '@nestjs/core';
import { FastifyAdapter } from '@nestjs/platform-fastify';

const DESCRIPTION = `The backend a freelancer runs to work on Upwork without trusting anyone with the keys.

Errors are \`application/problem+json\` (RFC 9457) with a stable \`code\`, listed at [/docs/errors](/docs/errors).
Lists answer \`{items, nextCursor}\`; give \`nextCursor\` as \`cursor\` for the next page. Money is a decimal string with
its currency, times are RFC 3339 in UTC. Single resources have an ETag: send it as If-Match to change only the version
you know. An Idempotency-Key on a POST makes repeating it safe.

In Swagger UI, "Try it out" fills in the ids of your newest rows once you are authorized.`;

/** The order of the documentation: as a consumer meets the API, from signing up to running it. */
const TAGS: readonly { readonly name: string; readonly description: string }[] = [
  { name: 'Auth', description: 'Sign up, sign in, sessions, second factor.' },
  { name: 'Users', description: 'Your own account.' },
  { name: 'Tokens', description: 'Connections to Upwork.' },
  { name: 'Jobs', description: 'Vacancies: keep, search, import.' },
  { name: 'Synchronisation', description: 'Saved searches, and what is brought in from Upwork.' },
  { name: 'Webhooks', description: 'Addresses that are called when a saved search finds something; their deliveries.' },
  { name: 'Proposals', description: 'From draft to answer.' },
  { name: 'Messages', description: 'Conversations with clients.' },
  { name: 'Profile', description: 'Who you are, for drafts in your own voice.' },
  { name: 'AI', description: 'Drafts by language models, their cost and your budget.' },
  { name: 'Analytics', description: 'Your numbers.' },
  { name: 'Audit', description: 'Who changed what in your rows.' },
  { name: 'Admin', description: 'Running the installation.' },
  { name: 'Development', description: 'Trying it out; absent in production.' },
  { name: 'Health', description: 'For probes.' },
];

/** Returns the OpenAPI 3.1 document of an initialised application, the same on every machine. */
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
  // A tag nobody described yet still has its place, after the others.
  document.tags.push(...[...used].sort().map((name) => ({ name })));
  describeRequests(document);
  completeLists(document);
  return addCommonParts(document);
}

function listTags(item: object): string[] {
  return Object.values(item).flatMap((operation: { tags?: string[] }) => operation.tags ?? []);
}

/**
 * Returns the OpenAPI document of a root module as the text that is checked in. Nothing is started or connected: Nest's
 * preview mode knows the routes without making the services behind them.
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
