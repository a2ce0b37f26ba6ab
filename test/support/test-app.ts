import { deepStrictEqual } from 'node:assert';
import { randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import type { Abstract, Type } from '@nestjs/common';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import type { OpenAPIObject } from '@nestjs/swagger';
import { Test } from '@nestjs/testing';
import type { FastifyInstance } from 'fastify';
import type { Redis } from 'ioredis';
import { AppModule } from '../../src/app.module';
import { Config } from '../../src/platform/config/config';
import { loadConfig, loadServerConfig } from '../../src/platform/config/load-config';
import { createAdapter, NEST_OPTIONS } from '../../src/platform/http/edge/adapter';
import { HealthService } from '../../src/platform/health/health.service';
import { configureApp } from '../../src/platform/http/http-app';
import { RedisClients } from '../../src/platform/redis/redis-clients';
import { testServices } from './test-services';
import { createTestDatabase, type TestDatabase } from './test-database';
import { createTestRedisUrl } from './test-redis';

/** The whole API of a test file, listening, with its own database and Redis. */
export interface TestApp {
  /** `http://127.0.0.1:<port>`. */
  readonly url: string;
  readonly app: NestFastifyApplication;
  readonly db: TestDatabase;
  /** The application's connection for commands. */
  readonly redis: Redis;
  /** The settings of the application, to start another process on the same database. */
  readonly settings: Readonly<Record<string, string>>;
  /** Returns a provider of the application. */
  get<T>(token: Type<T> | Abstract<T>): T;
  /** Stops the application and drops its database. */
  close(): Promise<void>;
}

/** Options of a test's application. */
export interface TestAppOptions {
  /** Settings that differ from the tests' defaults, by environment variable. */
  readonly settings?: Readonly<Record<string, string>>;
  /** An application to share the database and Redis with, like a second process; closing leaves them to the first. */
  readonly sharedWith?: TestApp;
  /** Gives the application also the logins of the worker, for a test that runs tasks in it. */
  readonly runsTasks?: boolean;
}

/** Longer than any test: on a busy machine a command or a check may exceed the server's limit of one second. */
const TIMEOUT_MS = 60_000;

/** Starts the API. Rate limits are off and passwords are cheap unless the settings say otherwise. */
export async function startApp({
  settings = {},
  sharedWith: beside,
  runsTasks = false,
}: TestAppOptions = {}): Promise<TestApp> {
  const db = beside?.db ?? (await createTestDatabase());
  const environment = { ...(beside?.settings ?? (await buildSettings(db))), ...settings };
  const config = runsTasks ? loadConfig(environment) : loadServerConfig('api', environment);
  const module = await Test.createTestingModule({ imports: [AppModule] })
    .overrideProvider(Config)
    .useValue(config)
    .compile();
  const app = configureApp(
    module.createNestApplication<NestFastifyApplication>(createAdapter(config), NEST_OPTIONS),
    readContract(),
  );
  const redis = app.get(RedisClients, { strict: false }).commands;
  redis.options.commandTimeout = TIMEOUT_MS;
  app.get(HealthService, { strict: false }).checkTimeoutMs = TIMEOUT_MS;
  refuseUndeclaredFields(app.getHttpAdapter().getInstance());
  await app.listen(0, '127.0.0.1').catch(async (error: unknown) => {
    await app.close();
    throw error;
  });
  const { port } = app.getHttpServer().address() as { port: number };
  return {
    url: `http://127.0.0.1:${port}`,
    app,
    db,
    redis,
    settings: environment,
    get: (token) => app.get(token, { strict: false }),
    close: async () => {
      await app.close();
      if (!beside) await db.end();
    },
  };
}

let contract: OpenAPIObject | undefined;

/** Returns the OpenAPI document, which is parsed once. It is frozen, so that no application changes another's. */
function readContract(): OpenAPIObject {
  const freeze = (_: string, value: unknown): unknown => Object.freeze(value);
  return (contract ??= JSON.parse(readFileSync('test/contract/openapi.json', 'utf8'), freeze) as OpenAPIObject);
}

/** Fails if a list's JSON differs from its objects: the serializer omits or changes fields its DTO declares wrongly. */
function refuseUndeclaredFields(fastify: FastifyInstance): void {
  const bodies = new WeakMap<object, unknown>();
  fastify.addHook('preSerialization', (request, _reply, body, done) => {
    bodies.set(request, body);
    done(null, body);
  });
  fastify.addHook('onSend', (request, _reply, payload, done) => {
    const body = bodies.get(request);
    if (typeof payload === 'string' && typeof body === 'object' && body !== null && 'items' in body) {
      deepStrictEqual(JSON.parse(payload), JSON.parse(JSON.stringify(body)));
    }
    done(null, payload);
  });
}

/** Builds the settings of a test's processes on one database, with an empty Redis. */
export async function buildSettings({ urls }: TestDatabase): Promise<Record<string, string>> {
  return {
    NODE_ENV: 'test',
    HOST: '127.0.0.1',
    PORT: '0',
    PUBLIC_URL: 'http://gigvault.test',
    DATABASE_URL: urls.app,
    DATABASE_AUTH_URL: urls.auth,
    DATABASE_WORKER_URL: urls.worker,
    DATABASE_ADMIN_URL: urls.admin,
    DATABASE_MIGRATION_URL: urls.migrator,
    DATABASE_BACKUP_URL: urls.backup,
    DATABASE_MONITOR_URL: urls.monitor,
    // On a busy machine a request waits longer for a connection or a list than in production.
    DATABASE_CONNECT_TIMEOUT_MS: '60000',
    DATABASE_LIST_TIMEOUT_MS: '60000',
    REDIS_URL: await createTestRedisUrl(),
    SECRET_KEY: randomBytes(32).toString('base64'),
    CONTEXT_KEY: testServices().contextKey,
    ENCRYPTION_KEYS: `test:${randomBytes(32).toString('base64')}`,
    PASSWORD_HASH_COST: '4',
    // Tests change rows behind the server and read them at once.
    CACHE_ENABLED: 'false',
    RATE_LIMIT_PER_MINUTE: '0',
    AUTH_THROTTLE_SCALE: '1000000',
  };
}
