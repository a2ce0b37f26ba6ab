import { applyDecorators, SetMetadata, type ExecutionContext } from '@nestjs/common';
import type { Reflector } from '@nestjs/core';
import { ApiBearerAuth } from '@nestjs/swagger';

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
  return mark({ level: 'signed-in' });
}

/** The route is for admins. */
export function AdminOnly(): ClassDecorator & MethodDecorator {
  return mark({ level: 'admin' });
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
export function accessLevelOf(reflector: Reflector, context: ExecutionContext, isProduction: boolean): AccessLevel {
  const marker = reflector.getAllAndOverride<AccessMarker | undefined>(ACCESS, [
    context.getHandler(),
    context.getClass(),
  ]);
  return marker ? levelOf(marker, isProduction) : 'admin';
}

/** Returns the level that a marker demands. */
export function levelOf(marker: AccessMarker, isProduction: boolean): AccessLevel {
  return (isProduction ? marker.inProduction : undefined) ?? marker.level;
}

function mark(marker: AccessMarker): ClassDecorator & MethodDecorator {
  return applyDecorators(SetMetadata(ACCESS, marker), ApiBearerAuth(BEARER));
}
