import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { SwaggerModule, type OpenAPIObject } from '@nestjs/swagger';
import { type Config } from '../config/config';
import { AppError } from '../errors/app-error';
import { errorsPage } from '../errors/errors-page';
import type { Authenticator } from './authenticator';

/** The pages that tell the whole contract; the list of error codes is open, problems link to it. */
const CLOSED_IN_PRODUCTION = /^\/docs(-json)?($|\/)(?!errors$)/;

/**
 * Serves Swagger UI at /docs, the OpenAPI document at /docs-json and the error codes at /docs/errors. In production the
 * first two are for signed-in users only; the matched route decides, since a path can be written in many ways.
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
    fastify.addHook('onRequest', (request, _reply, done) => {
      if (!CLOSED_IN_PRODUCTION.test(request.routeOptions.url ?? '')) return done();
      if (!authenticator) return done(new AppError('route.not_found'));
      authenticator.authenticate(request).then(() => done(), done);
    });
  }
  fastify.get('/docs/errors', (_request, reply) => reply.type('text/html; charset=utf-8').send(errorsPage()));
  SwaggerModule.setup('docs', app, documentOf, {
    raw: ['json'],
    customSiteTitle: 'Gigvault API',
    swaggerOptions: { persistAuthorization: true, displayRequestDuration: true, defaultModelsExpandDepth: 0 },
  });
}
