import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { SwaggerModule, type OpenAPIObject } from '@nestjs/swagger';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { type Config } from '../../config/config';
import { AppError } from '../../errors/app-error';
import { ERROR_CODES } from '../../errors/error-codes';
import { PageAuthenticator, type Authenticator } from '../access/authenticator';
import { PREFILL_PLUGINS } from './docs-prefill';

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
      const pages = findPageAuthenticator(app);
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

function findPageAuthenticator(app: NestFastifyApplication): PageAuthenticator | undefined {
  try {
    return app.get(PageAuthenticator, { strict: false });
  } catch {
    return undefined;
  }
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
