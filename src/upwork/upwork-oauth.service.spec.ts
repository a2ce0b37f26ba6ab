import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { buildTestConfig } from '../../test/support/test-config';
import { UpworkOAuthService } from './upwork-oauth.service';

describe(UpworkOAuthService.name, () => {
  let server: Server;
  let upwork: UpworkOAuthService;
  let answer: string;

  beforeAll(async () => {
    server = createServer((_, response) => response.writeHead(200, { 'content-type': 'application/json' }).end(answer));
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const { port } = server.address() as AddressInfo;
    const settings = {
      UPWORK_CLIENT_ID: 'id',
      UPWORK_CLIENT_SECRET: 'secret',
      UPWORK_TOKEN_URL: `http://127.0.0.1:${port}/token`,
    };
    upwork = new UpworkOAuthService(buildTestConfig(settings));
  });
  afterAll(async () => {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  });

  const good = { access_token: 'a', token_type: 'bearer', refresh_token: 'b', expires_in: 60, scope: 'x y' };
  const respondWith = (changes: object): void => void (answer = JSON.stringify({ ...good, ...changes }));

  it('accepts a token pair', async () => {
    respondWith({});

    expect(await upwork.refresh('r')).toMatchObject({ accessToken: 'a', refreshToken: 'b', scopes: ['x', 'y'] });
  });

  it.each([
    ['an access token that is invalid in a header', { access_token: '漢字' }],
    ['an access token with a line end', { access_token: 'a\r\nb' }],
    ['an access token that is too long', { access_token: 'a'.repeat(100_000) }],
    ['no access token', { access_token: undefined }],
    ['a number as a token', { access_token: 7 }],
    ['an empty refresh token', { refresh_token: '' }],
    ['a list as a refresh token', { refresh_token: [] }],
    ['an unknown token type', { token_type: 'mac' }],
  ])('rejects an answer with %s and says why', async (_, changes) => {
    respondWith(changes);

    await expect(upwork.refresh('r')).rejects.toMatchObject({
      name: 'UpworkError',
      kind: 'unusable',
      message: expect.stringMatching(/^Upwork's answer (has an unexpected shape at|cannot be used)/),
    });
  });

  it.each(['[]', 'null', '"a"', '{', '', '{"access_token":{}}'])('rejects %p as an answer', async (text) => {
    answer = text;

    await expect(upwork.refresh('r')).rejects.toMatchObject({ name: 'UpworkError', kind: 'unusable' });
  });

  it.each([1e300, 1e12, 0.0])('replaces a lifetime of %p with the default', async (seconds) => {
    respondWith({ expires_in: seconds });

    const { expiresAt } = await upwork.refresh('r');

    const hours = (expiresAt.getTime() - Date.now()) / 3_600_000;
    expect([hours > 23, hours <= 24]).toEqual([true, true]);
  });

  it('ignores invalid scopes', async () => {
    respondWith({ scope: 'x\0y' });

    expect((await upwork.refresh('r')).scopes).toBeUndefined();
  });
});
