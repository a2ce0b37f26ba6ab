import { type INestApplication, type Type, VersioningType } from '@nestjs/common';
import { DocumentBuilder, SwaggerModule, type OpenAPIObject } from '@nestjs/swagger';
import { BEARER, findProvider, PageAuthenticator, type Authenticator } from '../access/access';
import { addCommonParts } from './common-parts';
import { completeLists, listOperations, type Method, type Operation } from './operations';
import { NestFactory } from '@nestjs/core';
import { FastifyAdapter, type NestFastifyApplication } from '@nestjs/platform-fastify';
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { Config } from '../../config/config';
import { AppError } from '../../errors/app-error';
import { ERROR_CODES } from '../../errors/error-codes';
import { PREFILL_PLUGINS } from './docs-prefill';

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

/** A JSON schema as Nest writes it. */
interface Schema {
  $ref?: string;
  type?: string | string[];
  format?: string;
  minimum?: number;
  description?: string;
  example?: unknown;
  examples?: unknown[];
  required?: string[];
  properties?: Record<string, Schema>;
  items?: Schema;
}

interface Parameter {
  readonly name: string;
  readonly in: string;
  readonly required?: boolean;
  schema?: Schema;
}

type Content = Record<string, { schema?: Schema; example?: unknown }>;

/** Names of fields and parameters with the id of a row. */
const ID = /^(id|\w+Ids?)$/;

/** Examples of text bodies by media type. */
const TEXT_BODIES: Readonly<Record<string, string>> = {
  'text/csv': 'title,skills\nSpeed up slow PostgreSQL queries,"PostgreSQL, SQL"\n',
  'application/x-ndjson': '{"title":"Speed up slow PostgreSQL queries","skills":["PostgreSQL"]}\n',
};

/**
 * Completes the requests of the document: ids as 64-bit integers from 1, the media type of merge patches, files as
 * text. Examples work for a new account: optional filters and ids of rows have none, since Swagger UI sends every
 * `example`.
 */
export function describeRequests(document: OpenAPIObject): void {
  const schemas = (document.components?.schemas ?? {}) as Record<string, Schema>;
  for (const schema of Object.values(schemas)) describeIds(schema);
  for (const { method, operation } of listOperations(document)) {
    for (const parameter of (operation.parameters ?? []) as Parameter[]) describeParameter(parameter);
    describeBody(method, operation, schemas);
  }
}

function describeIds({ properties = {} }: Schema): void {
  for (const [name, property] of Object.entries(properties)) {
    const schema = property.items ?? property;
    if (ID.test(name) && [schema.type].flat().includes('integer'))
      Object.assign(schema, { format: 'int64', minimum: 1 });
  }
}

function describeParameter(parameter: Parameter): void {
  const { schema, name } = parameter;
  if (!schema) return;
  const isNumber = schema.type === 'number' || schema.type === 'integer';
  const isRowId = isNumber && (parameter.in === 'path' || ID.test(name));
  if (isRowId) Object.assign(schema, { type: 'integer', format: 'int64', minimum: 1 });
  if (schema.example === undefined || (parameter.required && !isRowId)) return;
  schema.examples = [schema.example];
  delete schema.example;
}

function describeBody(method: Method, operation: Operation, schemas: Readonly<Record<string, Schema>>): void {
  const { requestBody } = operation;
  if (!requestBody || '$ref' in requestBody) return;
  const content = requestBody.content as Content;
  for (const [type, example] of Object.entries(TEXT_BODIES)) {
    if (content[type]) content[type] = { schema: { type: 'string' }, example };
  }
  const json = content['application/json'];
  if (!json) return;
  const { $ref, items } = json.schema ?? {};
  const schema = schemas[($ref ?? items?.$ref)?.split('/').at(-1) ?? ''];
  if (schema) json.example = items ? [buildExample(schema)] : buildExample(schema);
  if (method === 'patch') content['application/merge-patch+json'] = { ...json };
}

/** Returns a body from the examples of the fields, without optional ids of rows. */
function buildExample({ properties = {}, required = [] }: Schema): Record<string, unknown> {
  const fields = Object.entries(properties).filter(
    ([name, { example }]) => example !== undefined && (required.includes(name) || !ID.test(name)),
  );
  return Object.fromEntries(fields.map(([name, { example }]) => [name, example]));
}

/** Pages that need a sign-in in production. The list of error codes is open because problems link to it. */
const CLOSED_IN_PRODUCTION = /^\/docs(-json)?($|\/)(?!errors$)/;

/**
 * Serves Swagger UI at /docs, the OpenAPI document at /docs-json and the error codes at /docs/errors. In production the
 * first two need an access token or the cookie of the dashboard. The check reads the matched route, since a path can be
 * written in several ways.
 */
export function setUpDocumentation(
  app: NestFastifyApplication,
  config: Config,
  authenticator: Authenticator | undefined,
  documentOf: () => OpenAPIObject,
): void {
  const fastify = app.getHttpAdapter().getInstance();
  if (config.isProduction) {
    // Not async: a promise for every request would be expensive.
    fastify.addHook('onRequest', (request, reply, done) => {
      if (!CLOSED_IN_PRODUCTION.test(request.routeOptions.url ?? '')) return done();
      if (!authenticator) return done(new AppError('route.not_found'));
      const pages = findProvider(app, PageAuthenticator);
      const chosen = request.headers.authorization === undefined && pages ? pages : authenticator;
      chosen.authenticate(request).then(
        () => done(),
        (error: Error) => (isPage(request) ? redirectToSignIn(reply) : done(error)),
      );
    });
  }
  fastify.get('/docs/errors', (_request, reply) => reply.type('text/html; charset=utf-8').send(renderErrorsPage()));
  SwaggerModule.setup('docs', app, documentOf, {
    raw: ['json'],
    customSiteTitle: 'Gigvault API',
    swaggerOptions: {
      persistAuthorization: true,
      displayRequestDuration: true,
      defaultModelsExpandDepth: 0,
      docExpansion: 'none',
      filter: true,
      plugins: PREFILL_PLUGINS,
    },
  });
}

/** Returns whether the request opens the page itself. Its scripts and styles get the error. */
function isPage({ headers, routeOptions }: FastifyRequest): boolean {
  return /^\/docs\/?$/.test(routeOptions.url ?? '') && (headers.accept ?? '').includes('text/html');
}

function redirectToSignIn(reply: FastifyReply): void {
  void reply.redirect('/admin/sign-in', 303);
}

/** Returns the HTML page that the `type` of each problem links to. */
function renderErrorsPage(): string {
  const rows = Object.entries(ERROR_CODES)
    .map(([code, { status, title, detail }]) => {
      return `<tr id="${code}"><td><code>${code}</code><td>${status}<td>${title}<td>${detail}`;
    })
    .join('\n');
  return `<!doctype html>
<html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>Gigvault error codes</title>
<style>
body { font: 16px/1.5 system-ui, sans-serif; max-width: 56rem; margin: 2rem auto; padding: 0 1rem }
table { border-collapse: collapse; width: 100% }
th, td { text-align: left; padding: .4rem .8rem; border-bottom: 1px solid #8884 }
tr:target { background: #fd06 }
</style>
<h1>Error codes</h1>
<p>Every error is an <code>application/problem+json</code> document (RFC 9457) with one of these codes.
Codes are stable: new ones may be added, and no code changes its meaning. The <code>detail</code> of an answer may say
more than this table. Quote the <code>requestId</code> when you ask for help.
<table><thead><tr><th>Code<th>Status<th>Meaning<th>What to do<tbody>
${rows}
</table>
</html>
`;
}
