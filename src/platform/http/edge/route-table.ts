import type { FastifyInstance } from 'fastify';

/** Knows which methods a path takes, to tell a wrong method (405) from a wrong path (404). */
export class RouteTable {
  private readonly routes: { readonly segments: readonly string[]; readonly methods: Set<string> }[] = [];

  /** Notes every route registered from now on. */
  observe(fastify: FastifyInstance): void {
    fastify.addHook('onRoute', ({ method, url }) => this.add([method].flat(), url));
  }

  /** Methods of the path, sorted, OPTIONS with them; empty when no route has it. */
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

/** A slash at the end is another path, as the router has it. */
function splitPath(path: string): string[] {
  return path.split('/').slice(1);
}

function matches(segments: readonly string[]) {
  return (pattern: string, index: number) =>
    pattern.startsWith(':') ? segments[index] !== '' : pattern === segments[index];
}
