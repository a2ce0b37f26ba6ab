import { VersioningType, type Type } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { FastifyAdapter } from '@nestjs/platform-fastify';
import { openapiDocument } from './openapi-document';

/**
 * Returns the OpenAPI document of a root module as the text that is checked in. Nothing is started or connected: Nest's
 * preview mode knows the routes without making the services behind them.
 */
export async function openapiContract(module: Type): Promise<string> {
  const app = await NestFactory.create(module, new FastifyAdapter(), {
    preview: true,
    abortOnError: false,
    logger: ['error'],
  });
  app.enableVersioning({ type: VersioningType.URI });
  return `${JSON.stringify(openapiDocument(app), null, 2)}\n`;
}
