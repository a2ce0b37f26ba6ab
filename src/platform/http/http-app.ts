import { VersioningType, type DynamicModule, type Type } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import type { OpenAPIObject } from '@nestjs/swagger';
import { Config } from '../config/config';
import { loadServerConfig } from '../config/load-config';
import { FailoverDetectorService } from '../database/failover-detector.service';
import { createLogger, registerRequestLog } from '../logging/logger';
import { NestLogger } from '../logging/nest-logger';
import { createAdapter, NEST_OPTIONS } from './edge/adapter';
import { registerEarlyAnswers } from './edge/connections';
import {
  registerAccept,
  registerProtocolChecks,
  registerRequestChecks,
  registerRequestContext,
  RouteTable,
  registerCompression,
  registerCors,
  registerSecurityHeaders,
} from './edge/request-hooks';
import { registerAdmission } from './edge/admission';
import { assertRoutesAreMarked, Authenticator, findProvider } from './access/access';
import { registerBodyParsers } from './edge/body-parsers';
import { DrainingService } from './edge/draining.service';
import { setUpDocumentation, buildOpenApiDocument } from './openapi/document';
import { RateLimiterService, registerRateLimit } from './access/rate-limiter.service';
import { registerResourceHeaders, setTimeline } from './responses/preconditions';
import { registerResponseSerializers } from './responses/response-serializers';
import { UnreadInputGuard } from './validation/unread-input.guard';
import { registerProxyWarning } from './edge/proxy-warning';
import { registerWelcome } from './edge/welcome';

/**
 * Creates the complete HTTP application of a root module. Call `app.listen(…)` or `app.init()` next.
 * @throws ConfigError for invalid settings; Error that lists the routes without an access marker
 */
export async function createHttpApp(module: Type | DynamicModule): Promise<NestFastifyApplication> {
  const config = loadServerConfig('api');
  const options = { ...NEST_OPTIONS, logger: new NestLogger(createLogger(config.log.level)) };
  return configureApp(await NestFactory.create<NestFastifyApplication>(module, createAdapter(config), options));
}

/**
 * Adds hooks, parsers, limits, headers and pages to an application made with `createAdapter` and `NEST_OPTIONS`. Called
 * by `createHttpApp`, and by tests that build their module themselves. The module needs ConfigModule, RedisModule and
 * HttpModule.
 * @param knownDocument the OpenAPI document, if available: building it takes a quarter of a second
 * @throws Error that lists the routes without an access marker
 */
export function configureApp(app: NestFastifyApplication, knownDocument?: OpenAPIObject): NestFastifyApplication {
  assertRoutesAreMarked(app);
  // @Controller({ path: 'jobs', version: '1' }) is /v1/jobs; a controller without a version has no prefix.
  app.enableVersioning({ type: VersioningType.URI });
  app.useGlobalGuards(new UnreadInputGuard());
  const config = app.get(Config);
  const fastify = app.getHttpAdapter().getInstance();
  const logger = createLogger(config.log.level);
  app.useLogger(new NestLogger(logger));

  let document = knownDocument;
  const documentOf = (): OpenAPIObject => (document ??= buildOpenApiDocument(app));
  const routes = new RouteTable();
  routes.observe(fastify);
  const authenticator = findProvider(app, Authenticator);
  registerSecurityHeaders(fastify, config);
  registerCors(fastify, config.http);
  registerRequestContext(fastify);
  registerProxyWarning(fastify, config, logger);
  registerEarlyAnswers(fastify);
  registerRateLimit(fastify, app.get(RateLimiterService, { strict: false }), authenticator);
  registerProtocolChecks(fastify);
  registerRequestChecks(fastify, routes);
  registerAccept(fastify);
  registerAdmission(fastify, config, authenticator);
  registerBodyParsers(fastify, config.limits.importBytes);
  registerResourceHeaders(fastify);
  app.get(FailoverDetectorService, { strict: false }).onPrimary(setTimeline);
  registerResponseSerializers(fastify, documentOf);
  registerCompression(fastify);
  registerRequestLog(fastify, logger);
  app.get(DrainingService, { strict: false }).register(fastify);
  registerWelcome(fastify);
  setUpDocumentation(app, config, authenticator, documentOf);
  return app;
}
