import { VersioningType, type DynamicModule, type Type } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import type { OpenAPIObject } from '@nestjs/swagger';
import { Config } from '../config/config';
import { loadConfig } from '../config/load-config';
import { createLogger, registerRequestLog } from '../logging/logger';
import { NestLogger } from '../logging/nest-logger';
import { createAdapter, NEST_OPTIONS } from './edge/adapter';
import {
  registerAccept,
  registerProtocolChecks,
  registerRequestChecks,
  registerRequestContext,
} from './edge/request-hooks';
import { registerAdmission } from './edge/admission';
import { assertRoutesAreMarked } from './access/access';
import { Authenticator } from './access/authenticator';
import { registerBodyParsers } from './edge/body-parsers';
import { registerCompression, registerCors, registerSecurityHeaders } from './edge/plugins';
import { registerEarlyAnswers } from './edge/connections';
import { DrainingService } from './edge/draining.service';
import { setUpDocumentation } from './openapi/documentation';
import { buildOpenApiDocument } from './openapi/document';
import { RateLimiterService, registerRateLimit } from './access/rate-limiter.service';
import { registerResourceHeaders } from './responses/resource-headers';
import { registerResponseSerializers } from './responses/response-serializers';
import { RouteTable } from './edge/route-table';
import { UnreadInputGuard } from './validation/unread-input.guard';
import { registerWelcome } from './edge/welcome';

/**
 * Makes the HTTP application of a root module, complete but not yet initialised: `await app.listen(…)` or `app.init()`.
 * @throws ConfigError when the settings do not fit; Error naming the routes without an access marker
 */
export async function createHttpApp(module: Type | DynamicModule): Promise<NestFastifyApplication> {
  const adapter = createAdapter(loadConfig());
  return configureApp(await NestFactory.create<NestFastifyApplication>(module, adapter, NEST_OPTIONS));
}

/**
 * Gives an application made with `createAdapter` and `NEST_OPTIONS` its hooks, parsers, limits, headers and pages. Part
 * of `createHttpApp`; called directly only where a test builds its module itself. The module needs ConfigModule,
 * RedisModule and HttpModule.
 * @param known the OpenAPI document, where it is at hand: making it takes a quarter of a second
 * @throws Error naming the routes without an access marker
 */
export function configureApp(app: NestFastifyApplication, known?: OpenAPIObject): NestFastifyApplication {
  assertRoutesAreMarked(app);
  // @Controller({ path: 'jobs', version: '1' }) is /v1/jobs; a controller without a version has no prefix.
  app.enableVersioning({ type: VersioningType.URI });
  app.useGlobalGuards(new UnreadInputGuard());
  const config = app.get(Config);
  const fastify = app.getHttpAdapter().getInstance();
  const logger = createLogger(config.log.level);
  app.useLogger(new NestLogger(logger));

  let document = known;
  const documentOf = (): OpenAPIObject => (document ??= buildOpenApiDocument(app));
  const routes = new RouteTable();
  routes.observe(fastify);
  const authenticator = findAuthenticator(app);
  registerSecurityHeaders(fastify, config);
  registerCors(fastify, config.http.corsOrigins);
  registerRequestContext(fastify);
  registerEarlyAnswers(fastify);
  registerRateLimit(fastify, app.get(RateLimiterService, { strict: false }), authenticator);
  registerProtocolChecks(fastify);
  registerRequestChecks(fastify, routes);
  registerAccept(fastify);
  registerAdmission(fastify, config, authenticator);
  registerBodyParsers(fastify, config.limits.importBytes);
  registerResourceHeaders(fastify);
  registerResponseSerializers(fastify, documentOf);
  registerCompression(fastify);
  registerRequestLog(fastify, logger);
  app.get(DrainingService, { strict: false }).register(fastify);
  registerWelcome(fastify);
  setUpDocumentation(app, config, authenticator, documentOf);
  return app;
}

/** The auth module's; a module without it (a test of the platform) has nobody signed in. */
function findAuthenticator(app: NestFastifyApplication): Authenticator | undefined {
  try {
    return app.get(Authenticator, { strict: false });
  } catch {
    return undefined;
  }
}
