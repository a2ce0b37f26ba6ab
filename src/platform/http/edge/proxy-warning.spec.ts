import { fastify } from 'fastify';
import type { Logger } from 'pino';
import { buildTestConfig } from '../../../../test/support/test-config';
import { registerProxyWarning } from './proxy-warning';

const PRODUCTION = {
  NODE_ENV: 'production',
  SMTP_URL: 'smtp://127.0.0.1',
  PUBLIC_URL: 'https://gigvault.example',
  TRUSTED_PROXIES: '10.1.0.0/16',
};

describe(registerProxyWarning.name, () => {
  /** Sends requests from these addresses, with the address of a user in X-Forwarded-For; returns the warnings. */
  async function listWarnings(
    peers: readonly string[],
    settings: NodeJS.ProcessEnv = PRODUCTION,
    headers: Record<string, string> = { 'x-forwarded-for': '203.0.113.7' },
  ): Promise<string[]> {
    const config = buildTestConfig(settings);
    const warnings: string[] = [];
    const logger = { warn: (_: object, text: string) => warnings.push(text) } as unknown as Logger;
    const { trustedProxies } = config.http;
    const app = fastify({ trustProxy: trustedProxies.length > 0 ? [...trustedProxies] : false });
    registerProxyWarning(app, config, logger);
    app.get('/', () => 'ok');
    for (const remoteAddress of peers) await app.inject({ url: '/', remoteAddress, headers });
    return warnings;
  }

  it('names a proxy that is missing in TRUSTED_PROXIES', async () => {
    expect(await listWarnings(['10.2.0.9'])).toEqual([
      expect.stringMatching(/^X-Forwarded-For from 10\.2\.0\.9 is ignored\. .*add it to TRUSTED_PROXIES/),
    ]);
    expect(await listWarnings(['172.18.0.1'], { ...PRODUCTION, TRUSTED_PROXIES: '' })).toHaveLength(1);
  });

  it('is silent for a trusted proxy, for requests without the header, and outside of production', async () => {
    expect(await listWarnings(['10.1.0.9'])).toEqual([]);
    expect(await listWarnings(['10.2.0.9'], PRODUCTION, {})).toEqual([]);
    expect(await listWarnings(['10.2.0.9'], {})).toEqual([]);
  });

  it('warns once an hour, because every client can send the header', async () => {
    expect(await listWarnings(['10.2.0.9', '10.3.0.9', '10.2.0.9'])).toHaveLength(1);
  });
});
