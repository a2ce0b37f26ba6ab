import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { SwaggerModule, type OpenAPIObject } from '@nestjs/swagger';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { type Config } from '../../config/config';
import { AppError } from '../../errors/app-error';
import { renderErrorsPage } from '../../errors/errors-page';
import { PageAuthenticator, type Authenticator } from '../access/authenticator';
import { NEWEST_ID_PLUGINS } from './docs-own-ids';

/** The pages that tell the whole contract; the list of error codes is open, problems link to it. */
const CLOSED_IN_PRODUCTION = /^\/docs(-json)?($|\/)(?!errors$)/;

/**
 * Serves Swagger UI at /docs, the OpenAPI document at /docs-json and the error codes at /docs/errors. In production the
 * first two are for signed-in users only: by access token, or by the cookie of an admin's dashboard; the matched route decides, since a path can be written in many ways.
 */
export function setUpDocumentation(
  app: NestFastifyApplication,
  config: Config,
  authenticator: Authenticator | undefined,
  documentOf: () => OpenAPIObject,
): void {
  const fastify = app.getHttpAdapter().getInstance();
  if (config.isProduction) {
    // Not async: every request passes here, and a promise for each is dear.
    fastify.addHook('onRequest', (request, reply, done) => {
      if (!CLOSED_IN_PRODUCTION.test(request.routeOptions.url ?? '')) return done();
      if (!authenticator) return done(new AppError('route.not_found'));
      const pages = findPageAuthenticator(app);
      const by = request.headers.authorization === undefined && pages ? pages : authenticator;
      by.authenticate(request).then(
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
      plugins: NEWEST_ID_PLUGINS,
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

/** Returns whether a browser opens the page itself; its scripts and styles get the error. */
function isPage({ headers, routeOptions }: FastifyRequest): boolean {
  return /^\/docs\/?$/.test(routeOptions.url ?? '') && (headers.accept ?? '').includes('text/html');
}

function redirectToSignIn(reply: FastifyReply): void {
  void reply.redirect('/admin/sign-in', 303);
}
