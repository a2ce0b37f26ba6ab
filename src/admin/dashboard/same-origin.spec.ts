import type { FastifyRequest } from 'fastify';
import { assertSameOrigin } from './same-origin';

describe(assertSameOrigin.name, () => {
  const check =
    (headers: Record<string, string>, method = 'POST') =>
    () =>
      assertSameOrigin(
        { method, headers: { host: 'here:3000', ...headers } } as unknown as FastifyRequest,
        'https://public.example/',
      );

  it.each([
    [{ 'sec-fetch-site': 'same-origin', origin: 'null' }],
    [{ origin: 'http://here:3000' }],
    [{ origin: 'https://public.example' }],
    [{}],
  ])('lets %j pass', (headers) => {
    expect(check(headers)).not.toThrow();
  });

  it.each([
    [{ 'sec-fetch-site': 'same-site' }],
    [{ 'sec-fetch-site': 'none' }],
    [{ 'sec-fetch-site': 'cross-site', origin: 'http://here:3000' }],
    [{ origin: 'http://elsewhere' }],
    [{ origin: 'null' }],
  ])('refuses %j', (headers) => {
    expect(check(headers)).toThrow('from another site');
  });

  it('has nothing against links', () => {
    expect(check({ 'sec-fetch-site': 'cross-site' }, 'GET')).not.toThrow();
  });
});
