import { fastify } from 'fastify';
import { buildTestConfig } from '../../../../test/support/test-config';
import { registerCors } from './plugins';

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
