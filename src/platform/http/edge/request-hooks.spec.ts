import { fastify } from 'fastify';
import { accepts, RouteTable, registerCors } from './request-hooks';
import { buildTestConfig } from '../../../../test/support/test-config';

const JSON_TYPES = ['application/json', 'application/problem+json'];

describe(accepts.name, () => {
  it.each([
    ['*/*', true],
    ['application/*', true],
    ['Application/JSON', true],
    ['application/json; charset=utf-8', true],
    ['application/problem+json', true],
    ['text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8', true],
    ['application/xml;q=0.9, application/json;q=0.001', true],
    ['', true],
    ['nonsense', true],
    ['application/xml', false],
    ['text/*', false],
    ['text/event-stream', false],
    ['application/json;q=0, application/problem+json; q=0.0', false],
    ['*/*;q=0', false],
    ['application/*;q=0, */*', false],
  ])('%j allows JSON: %s', (header, isAllowed) => {
    expect(accepts(header, JSON_TYPES)).toBe(isAllowed);
  });
});

describe(RouteTable.name, () => {
  it('lists the methods of a path with parameters', () => {
    const routes = new RouteTable();
    const server = fastify();
    routes.observe(server);
    server.get('/v1/jobs/:id', () => ({}));
    server.patch('/v1/jobs/:id', () => ({}));
    server.post('/v1/jobs/import', () => ({}));
    server.get('/files/*', () => ({}));

    expect(routes.listMethods('/v1/jobs/5')).toEqual(['GET', 'HEAD', 'OPTIONS', 'PATCH']);
    expect(routes.listMethods('/v1/jobs/import')).toEqual(['GET', 'HEAD', 'OPTIONS', 'PATCH', 'POST']);
    expect(routes.listMethods('/v1/jobs')).toEqual([]);
    expect(routes.listMethods('/v1/jobs/')).toEqual([]);
    expect(routes.listMethods('/v1/jobs/5/')).toEqual([]);
    expect(routes.listMethods('/files/a')).toEqual([]);
  });
});

describe(registerCors.name, () => {
  async function fetchAllowedOrigin(settings: NodeJS.ProcessEnv, origin: string): Promise<unknown> {
    const server = fastify();
    registerCors(server, buildTestConfig(settings).http);
    server.get('/', () => ({}));
    const { headers } = await server.inject({ url: '/', headers: { origin } });
    return headers['access-control-allow-origin'];
  }

  it.each(['http://localhost:5173', 'http://localhost'])('allows %s in development', async (origin) => {
    expect(await fetchAllowedOrigin({ NODE_ENV: 'development' }, origin)).toBe(origin);
  });

  it.each(['http://localhost.evil.example', 'http://evil.example:80', 'https://localhost:5173', 'null'])(
    'does not allow %s in development',
    async (origin) => {
      expect(await fetchAllowedOrigin({ NODE_ENV: 'development' }, origin)).toBeUndefined();
    },
  );

  it('allows only the listed origins in production', async () => {
    const production = {
      NODE_ENV: 'production',
      SMTP_URL: 'smtps://mail.example',
      PUBLIC_URL: 'https://api.example',
      CORS_ORIGINS: 'https://app.example',
    };

    expect(await fetchAllowedOrigin(production, 'http://localhost:5173')).toBeUndefined();
    expect(await fetchAllowedOrigin(production, 'https://app.example')).toBe('https://app.example');
  });
});
