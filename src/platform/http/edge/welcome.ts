import type { FastifyInstance } from 'fastify';

/** Links of the start page. */
const LINKS = {
  documentation: '/docs',
  openapi: '/docs-json',
  errors: '/docs/errors',
  dashboard: '/admin',
  health: '/health/ready',
} as const;

const WELCOME = { name: 'Gigvault', version: 'v1', links: LINKS };

const TITLES: Readonly<Record<keyof typeof LINKS, string>> = {
  documentation: 'API documentation (Swagger UI)',
  openapi: 'OpenAPI document',
  errors: 'Error codes',
  dashboard: 'Admin dashboard',
  health: 'Health',
};

/** Serves the start page at / and /v1: HTML for browsers, else JSON. */
export function registerWelcome(fastify: FastifyInstance): void {
  for (const path of ['/', '/v1']) {
    fastify.get(path, (request, reply) => {
      void reply.header('vary', 'accept');
      if (!(request.headers.accept ?? '').includes('text/html')) return reply.send(WELCOME);
      return reply.type('text/html; charset=utf-8').send(renderPage());
    });
  }
}

function renderPage(): string {
  const items = Object.entries(TITLES).map(
    ([name, title]) => `<li><a href="${LINKS[name as keyof typeof LINKS]}">${title}</a>`,
  );
  return `<!doctype html>
<html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>Gigvault</title>
<h1>Gigvault</h1>
<p>The API is at <code>/v1</code>.
<ul>
${items.join('\n')}
</ul>
</html>
`;
}
