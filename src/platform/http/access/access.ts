import {
  type Abstract,
  applyDecorators,
  type ExecutionContext,
  type INestApplicationContext,
  RequestMethod,
  SetMetadata,
  type Type,
} from '@nestjs/common';
import { ModulesContainer, type Reflector } from '@nestjs/core';
import { ApiBearerAuth } from '@nestjs/swagger';
import { METHOD_METADATA, PATH_METADATA } from '@nestjs/common/constants.js';
import { FASTIFY_ROUTE_CONFIG_METADATA } from '@nestjs/platform-fastify/constants.js';
import { currentContext, type Principal } from '../../context/request-context';
import { AppError } from '../../errors/app-error';
import type { FastifyRequest } from 'fastify';

/** The users who may call a route. */
export type AccessLevel = 'public' | 'signed-in' | 'admin';

/** The access marker that every route needs, on its handler or its controller. */
export interface AccessMarker {
  readonly level: AccessLevel;
  /** The reason why a public route is public. */
  readonly reason?: string;
  /** The level in production, if it differs. */
  readonly inProduction?: AccessLevel;
}

declare module 'fastify' {
  interface FastifyContextConfig {
    /** The access marker of a Nest route. */
    access?: AccessMarker;
  }
}

/** Metadata key of the marker. */
export const ACCESS = 'gigvault:access';

/** Metadata key of `OpenBeforeEnrolment`. */
const OPEN_BEFORE_ENROLMENT = 'gigvault:open-before-enrolment';

/** Metadata key of `StepUp`. */
const STEP_UP = 'gigvault:step-up';

/** The name of the security scheme in the OpenAPI document. */
export const BEARER = 'accessToken';

/** Opens the route to all signed-in users. Each sees only their own rows. */
export function SignedIn(): ClassDecorator & MethodDecorator {
  return markAccess({ level: 'signed-in' });
}

/** Restricts the route to admins. */
export function AdminOnly(): ClassDecorator & MethodDecorator {
  return markAccess({ level: 'admin' });
}

/**
 * Requires a re-authentication within the last 10 minutes (POST /v1/auth/step-up) for a route of users. What admins do
 * has its rule in ADMIN_ACTS.
 */
export function StepUp(): ClassDecorator & MethodDecorator {
  return SetMetadata(STEP_UP, true);
}

/** Returns whether a route is marked by `StepUp`. */
export function needsStepUp(reflector: Reflector, context: ExecutionContext): boolean {
  return reflector.getAllAndOverride<true | undefined>(STEP_UP, [context.getHandler(), context.getClass()]) === true;
}

/** Opens the route to admins who have no second factor yet, in production: the ways to set it up and to leave. */
export function OpenBeforeEnrolment(): ClassDecorator & MethodDecorator {
  return SetMetadata(OPEN_BEFORE_ENROLMENT, true);
}

/** Returns whether a route is marked by `OpenBeforeEnrolment`. */
export function isOpenBeforeEnrolment(reflector: Reflector, context: ExecutionContext): boolean {
  const targets = [context.getHandler(), context.getClass()];
  return reflector.getAllAndOverride<true | undefined>(OPEN_BEFORE_ENROLMENT, targets) === true;
}

/**
 * Opens the route without sign-in.
 * @param reason for the reviewer
 * @param options.inProduction a stricter level for production
 */
export function Public(reason: string, options: { inProduction?: AccessLevel } = {}): ClassDecorator & MethodDecorator {
  return applyDecorators(SetMetadata(ACCESS, { level: 'public', reason, ...options } satisfies AccessMarker));
}

/** Returns the level of a route. An unmarked route is `admin`, so that the guard is closed by default. */
export function getAccessLevel(reflector: Reflector, context: ExecutionContext, isProduction: boolean): AccessLevel {
  const marker = reflector.getAllAndOverride<AccessMarker | undefined>(ACCESS, [
    context.getHandler(),
    context.getClass(),
  ]);
  return marker ? resolveLevel(marker, isProduction) : 'admin';
}

/** Returns the level of a marker in this environment. */
export function resolveLevel(marker: AccessMarker, isProduction: boolean): AccessLevel {
  return (isProduction ? marker.inProduction : undefined) ?? marker.level;
}

function markAccess(marker: AccessMarker): ClassDecorator & MethodDecorator {
  return applyDecorators(SetMetadata(ACCESS, marker), ApiBearerAuth(BEARER));
}

/**
 * Rejects an application that has a route without an access marker. Copies each marker to Fastify's `config.access`,
 * for hooks that run before Nest.
 * @throws Error that lists each unmarked route as `Controller.handler (METHOD /path)`
 */
export function assertRoutesAreMarked(app: INestApplicationContext): void {
  const controllers = [...app.get(ModulesContainer).values()]
    .flatMap((module) => [...module.controllers.values()])
    .flatMap(({ metatype }) => (typeof metatype === 'function' ? [metatype as Type] : []));
  const unmarked = controllers.flatMap(listUnmarkedRoutes);
  for (const controller of controllers) copyMarkersToFastify(controller);
  if (unmarked.length === 0) return;
  throw new Error(
    'These routes lack @SignedIn(), @AdminOnly() or @Public(reason), on the handler or its controller:\n  ' +
      unmarked.join('\n  '),
  );
}

function listUnmarkedRoutes(controller: Type): string[] {
  if (Reflect.hasMetadata(ACCESS, controller)) return [];
  return listHandlers(controller)
    .filter(([, handler]) => !Reflect.hasMetadata(ACCESS, handler))
    .map(([name, handler]) => {
      const method = RequestMethod[Reflect.getMetadata(METHOD_METADATA, handler) as RequestMethod] ?? 'GET';
      const path = [Reflect.getMetadata(PATH_METADATA, controller), Reflect.getMetadata(PATH_METADATA, handler)]
        .flat()
        .map((part) => String(part).replace(/^\/+|(?<!\/)\/+$/g, ''))
        .filter((part) => part !== '')
        .join('/');
      return `${controller.name}.${name} (${method} /${path})`;
    });
}

/** Nest reads Fastify's configuration from the handler. Controllers that inherit a handler share it. */
function copyMarkersToFastify(controller: Type): void {
  for (const [name, handler] of listHandlers(controller)) {
    const own = Reflect.getMetadata(ACCESS, handler) as AccessMarker | undefined;
    const access = own ?? (Reflect.getMetadata(ACCESS, controller) as AccessMarker | undefined);
    const config = Reflect.getMetadata(FASTIFY_ROUTE_CONFIG_METADATA, handler) as { access?: AccessMarker } | undefined;
    if (config?.access && config.access.level !== access?.level) {
      throw new Error(`${controller.name}.${name} is inherited by controllers with different access: mark the handler`);
    }
    Reflect.defineMetadata(FASTIFY_ROUTE_CONFIG_METADATA, { ...config, access }, handler);
  }
}

/** Returns the handlers of a class and of its base classes. */
function listHandlers(controller: Type): [string, object][] {
  const handlers = new Map<string, object>();
  for (let prototype = getPrototype(controller); prototype !== Object.prototype; prototype = getParent(prototype)) {
    for (const name of Object.getOwnPropertyNames(prototype)) {
      const value: unknown = Object.getOwnPropertyDescriptor(prototype, name)?.value;
      if (typeof value === 'function' && Reflect.hasMetadata(METHOD_METADATA, value) && !handlers.has(name)) {
        handlers.set(name, value);
      }
    }
  }
  return [...handlers];
}

function getPrototype(controller: Type): object {
  return controller.prototype as object;
}

function getParent(prototype: object): object {
  return (Object.getPrototypeOf(prototype) as object | null) ?? Object.prototype;
}

/**
 * Returns the signed-in user of the current request.
 * @throws AppError `auth.session_missing` without one
 */
export function currentPrincipal(): Principal {
  const principal = currentContext()?.principal;
  if (!principal) throw new AppError('auth.session_missing');
  return principal;
}

/**
 * Returns the id of the signed-in user.
 * @throws AppError `auth.session_missing`
 */
export function currentUserId(): number {
  return currentPrincipal().userId;
}

/**
 * Identifies the sender of a request outside of Nest's guards: for limits, the documentation and the dashboard. The
 * auth module provides it, with this class as the token.
 */
export abstract class Authenticator {
  /** Returns the user id of a genuine, unexpired access token. Does not check the session in Redis. */
  abstract findUserId(request: FastifyRequest): number | undefined;

  /**
   * Rejects a request without a genuine access token, as the guard does. Does not check the session in Redis.
   * @throws AppError `auth.session_missing` or `auth.token_invalid`
   */
  abstract assertToken(request: FastifyRequest): void;

  /**
   * Returns the user of an active session.
   * @throws AppError `auth.session_missing` or `auth.token_invalid`
   */
  abstract authenticate(request: FastifyRequest): Promise<Principal>;
}

/** Identifies admins by the cookie of the dashboard, which provides it. A browser sends no bearer token for a page. */
export abstract class PageAuthenticator {
  /**
   * Returns the admin of the cookie.
   * @throws AppError `auth.session_missing`, `auth.token_invalid` or `auth.forbidden`
   */
  abstract authenticate(request: FastifyRequest): Promise<Principal>;
}

/** Returns a provider of another module; undefined without that module, as in tests of the platform. */
export function findProvider<T>(app: INestApplicationContext, token: Abstract<T>): T | undefined {
  try {
    return app.get<T>(token, { strict: false });
  } catch {
    return undefined;
  }
}
