import { Post, RequestMethod, type Type } from '@nestjs/common';
import { METHOD_METADATA } from '@nestjs/common/constants.js';
import { MetadataScanner, ModulesContainer, NestFactory } from '@nestjs/core';
import { FastifyAdapter } from '@nestjs/platform-fastify';
import { AppModule } from '../../src/app.module';
import { ACCESS, type AccessMarker } from '../../src/platform/http/access/access';
import { writeOpenApiContract } from '../../src/platform/http/openapi/document';
import {
  Idempotent,
  IDEMPOTENCY_POLICY,
  type IdempotencyPolicy,
  NotIdempotent,
} from '../../src/platform/idempotency/idempotency.interceptor';

interface PostRoute {
  readonly name: string;
  readonly policy?: IdempotencyPolicy;
  readonly access?: AccessMarker;
}

interface Contract {
  readonly paths: Record<string, { readonly post?: { readonly parameters?: readonly { readonly name: string }[] } }>;
}

async function listControllers(): Promise<Type[]> {
  const app = await NestFactory.create(AppModule, new FastifyAdapter(), { preview: true, logger: false });
  const modules = [...app.get(ModulesContainer).values()];
  return modules.flatMap(({ controllers }) => [...controllers.values()].map(({ metatype }) => metatype as Type));
}

/** Returns the POST handlers of a controller, with the metadata of the handler or else of the controller. */
function listPosts(controller: Type): PostRoute[] {
  const prototype = controller.prototype as Record<string, object>;
  const read = <T>(key: string, handler: object) =>
    (Reflect.getMetadata(key, handler) ?? Reflect.getMetadata(key, controller)) as T | undefined;
  return new MetadataScanner()
    .getAllMethodNames(prototype)
    .map((name) => ({ name: `${controller.name}.${name}`, handler: prototype[name]! }))
    .filter(({ handler }) => Reflect.getMetadata(METHOD_METADATA, handler) === RequestMethod.POST)
    .map(({ name, handler }) => ({
      name,
      policy: read<IdempotencyPolicy>(IDEMPOTENCY_POLICY, handler),
      access: read<AccessMarker>(ACCESS, handler),
    }));
}

function namesOf(posts: readonly PostRoute[], isListed: (post: PostRoute) => boolean): string[] {
  return posts.filter(isListed).map(({ name }) => name);
}

const isUnmarked = ({ policy }: PostRoute) => policy === undefined;

describe('the Idempotency-Key policy', () => {
  let posts: PostRoute[];

  beforeAll(async () => {
    posts = (await listControllers()).flatMap(listPosts);
  });

  it('is said by every POST route: @Idempotent(), @HandlesIdempotencyKey(reason) or @NotIdempotent(reason)', () => {
    expect(posts.length).toBeGreaterThan(40);
    expect(namesOf(posts, isUnmarked)).toEqual([]);
  });

  it('supports no key where a caller may be anonymous, because a key belongs to a user', () => {
    expect(namesOf(posts, ({ policy, access }) => policy?.isSupported === true && access?.level === 'public')).toEqual(
      [],
    );
  });

  it('has a reason where a route ignores the key', () => {
    const ignoring = posts.filter(({ policy }) => policy?.isSupported === false);

    expect(ignoring.length).toBeGreaterThan(0);
    expect(namesOf(ignoring, ({ policy }) => !policy?.reason)).toEqual([]);
  });

  it('is what the OpenAPI document promises', async () => {
    const { paths } = JSON.parse(await writeOpenApiContract(AppModule)) as Contract;
    const documented = Object.values(paths).filter(({ post }) =>
      post?.parameters?.some(({ name }) => name === 'Idempotency-Key'),
    );

    expect(documented).toHaveLength(posts.filter(({ policy }) => policy?.isSupported).length);
  });

  it('is missed on a POST without a decorator', () => {
    class PlantedController {
      @Post('forgotten')
      forgotten(): void {}

      @Post('once')
      @Idempotent()
      once(): void {}

      @Post('never')
      @NotIdempotent('it is planted')
      never(): void {}
    }

    expect(namesOf(listPosts(PlantedController), isUnmarked)).toEqual(['PlantedController.forgotten']);
  });
});
