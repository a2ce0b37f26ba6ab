import { RequestMethod, type INestApplicationContext, type Type } from '@nestjs/common';
import { METHOD_METADATA, PATH_METADATA } from '@nestjs/common/constants.js';
import { ModulesContainer } from '@nestjs/core';
import { FASTIFY_ROUTE_CONFIG_METADATA } from '@nestjs/platform-fastify/constants.js';
import { ACCESS, type AccessMarker } from './access';

/**
 * Refuses to go on when a route has no access marker: nobody decided who may use it. Gives each route's marker to Fastify
 * as `config.access`, for hooks that run before Nest.
 * @throws Error naming each unmarked route as `Controller.handler (METHOD /path)`
 */
export function assertRoutesAreMarked(app: INestApplicationContext): void {
  const controllers = [...app.get(ModulesContainer).values()]
    .flatMap((module) => [...module.controllers.values()])
    .flatMap(({ metatype }) => (typeof metatype === 'function' ? [metatype as Type] : []));
  const unmarked = controllers.flatMap(unmarkedRoutesOf);
  for (const controller of controllers) passMarkersOf(controller);
  if (unmarked.length === 0) return;
  throw new Error(
    `These routes lack @SignedIn(), @AdminOnly() or @Public(reason), on the handler or its controller:\n  ${unmarked.join('\n  ')}`,
  );
}

function unmarkedRoutesOf(controller: Type): string[] {
  if (Reflect.hasMetadata(ACCESS, controller)) return [];
  return handlersOf(controller)
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
function passMarkersOf(controller: Type): void {
  for (const [name, handler] of handlersOf(controller)) {
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
function handlersOf(controller: Type): [string, object][] {
  const handlers = new Map<string, object>();
  for (let prototype = prototypeOf(controller); prototype !== Object.prototype; prototype = parentOf(prototype)) {
    for (const name of Object.getOwnPropertyNames(prototype)) {
      const value: unknown = Object.getOwnPropertyDescriptor(prototype, name)?.value;
      if (typeof value === 'function' && Reflect.hasMetadata(METHOD_METADATA, value) && !handlers.has(name)) {
        handlers.set(name, value);
      }
    }
  }
  return [...handlers];
}

function prototypeOf(controller: Type): object {
  return controller.prototype as object;
}

function parentOf(prototype: object): object {
  return (Object.getPrototypeOf(prototype) as object | null) ?? Object.prototype;
}
