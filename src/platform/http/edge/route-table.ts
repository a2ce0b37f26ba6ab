import type { FastifyInstance } from 'fastify';

/** The methods of each path, to separate a wrong method (405) from an unknown path (404). */
export class RouteTable {
  private readonly routes: { readonly segments: readonly string[]; readonly methods: Set<string> }[] = [];

  /** Records every route that is registered after this call. */
  observe(fastify: FastifyInstance): void {
    fastify.addHook('onRoute', ({ method, url }) => this.add([method].flat(), url));
  }

  /** Returns the methods of the path with OPTIONS, sorted; an empty list for an unknown path. */
  listMethods(path: string): string[] {
    const segments = splitPath(path);
    const methods = this.routes
      .filter((route) => route.segments.length === segments.length && route.segments.every(matches(segments)))
      .flatMap((route) => [...route.methods]);
    return methods.length === 0 ? [] : [...new Set([...methods, 'OPTIONS'])].sort();
  }

  private add(methods: readonly string[], url: string): void {
    if (url.includes('*')) return;
    this.routes.push({ segments: splitPath(url), methods: new Set(methods) });
  }
}

/** Splits a path. As in the router, a trailing slash makes another path. */
function splitPath(path: string): string[] {
  return path.split('/').slice(1);
}

function matches(segments: readonly string[]) {
  return (pattern: string, index: number) =>
    pattern.startsWith(':') ? segments[index] !== '' : pattern === segments[index];
}
