import {
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

/** Who may use a route. */
export type AccessLevel = 'public' | 'signed-in' | 'admin';

/** The marker every route carries, on its handler or its controller. */
export interface AccessMarker {
  readonly level: AccessLevel;
  /** Why a public route is public. */
  readonly reason?: string;
  /** The level in production where it differs. */
  readonly inProduction?: AccessLevel;
}

declare module 'fastify' {
  interface FastifyContextConfig {
    /** The marker of a route that is Nest's. */
    access?: AccessMarker;
  }
}

/** Metadata key of the marker. */
export const ACCESS = 'gigvault:access';

/** Metadata key of `StepUp`. */
const STEP_UP = 'gigvault:step-up';

/** The security scheme's name in the OpenAPI document. */
export const BEARER = 'accessToken';

/** The route is for any signed-in user; he sees only his own rows. */
export function SignedIn(): ClassDecorator & MethodDecorator {
  return markAccess({ level: 'signed-in' });
}

/** The route is for admins. */
export function AdminOnly(): ClassDecorator & MethodDecorator {
  return markAccess({ level: 'admin' });
}

/** The route asks its user to have confirmed within the last minutes that he is the owner (POST /v1/auth/step-up). */
export function StepUp(): ClassDecorator & MethodDecorator {
  return SetMetadata(STEP_UP, true);
}

/** Whether a route asks for that. */
export function needsStepUp(reflector: Reflector, context: ExecutionContext): boolean {
  return reflector.getAllAndOverride<true | undefined>(STEP_UP, [context.getHandler(), context.getClass()]) === true;
}

/**
 * The route is open to everybody.
 * @param reason why, for the reviewer
 * @param options.inProduction who may use it in production, when that is stricter
 */
export function Public(reason: string, options: { inProduction?: AccessLevel } = {}): ClassDecorator & MethodDecorator {
  return applyDecorators(SetMetadata(ACCESS, { level: 'public', reason, ...options } satisfies AccessMarker));
}

/** The level a route demands; an unmarked route is the admin's, so that the guard stays closed by default. */
export function getAccessLevel(reflector: Reflector, context: ExecutionContext, isProduction: boolean): AccessLevel {
  const marker = reflector.getAllAndOverride<AccessMarker | undefined>(ACCESS, [
    context.getHandler(),
    context.getClass(),
  ]);
  return marker ? resolveLevel(marker, isProduction) : 'admin';
}

/** Returns the level that a marker demands. */
export function resolveLevel(marker: AccessMarker, isProduction: boolean): AccessLevel {
  return (isProduction ? marker.inProduction : undefined) ?? marker.level;
}

function markAccess(marker: AccessMarker): ClassDecorator & MethodDecorator {
  return applyDecorators(SetMetadata(ACCESS, marker), ApiBearerAuth(BEARER));
}

/**
 * Refuses to go on when a route has no access marker: nobody decided who may use it. Gives each route's marker to Fastify
 * as `config.access`, for hooks that run before Nest.
 * @throws Error naming each unmarked route as `Controller.handler (METHOD /path)`
 */
export function assertRoutesAreMarked(app: INestApplicationContext): void {
  const controllers = [...app.get(ModulesContainer).values()]
    .flatMap((module) => [...module.controllers.values()])
    .flatMap(({ metatype }) => (typeof metatype === 'function' ? [metatype as Type] : []));
  const unmarked = controllers.flatMap(listUnmarkedRoutes);
  for (const controller of controllers) copyMarkersToFastify(controller);
  if (unmarked.length === 0) return;
  throw new Error(
    `These routes lack @SignedIn(), @AdminOnly() or @Public(reason), on the handler or its controller:\n  ${unmarked.join('\n  ')}`,
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

/** Nest reads Fastify's route configuration from the handler, which controllers share when they inherit it. */
function copyMarkersToFastify(controller: Type): void {
  for (const [name, handler] of listHandlers(controller)) {
    const own = Reflect.getMetadata(ACCESS, handler) as AccessMarker | undefined;
    const access = own ?? (Reflect.getMetadata(ACCESS, controller) as AccessMarker | undefined);
    const config = Reflect.getMetadata(FASTIFY_ROUTE_CONFIG_METADATA, handler) as { access?: AccessMarker } | undefined;
    if (config?.access && config.access.level !== access?.level) {
      throw new Error(`${controller.name}.${name} is inherited: mark the handler, since its controllers differ`);
    }
    Reflect.defineMetadata(FASTIFY_ROUTE_CONFIG_METADATA, { ...config, access }, handler);
  }
}

/** Handlers of the class and of those it extends. */
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
 * Who is signed in.
 * @throws AppError `auth.session_missing` outside of a signed-in request
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
