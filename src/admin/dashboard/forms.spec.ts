import { addReturnPath, assertSameOrigin, parseReturnPath } from './forms';
import type { FastifyRequest } from 'fastify';

describe(parseReturnPath.name, () => {
  it.each([
    ['/admin', '/admin'],
    ['/admin/users/8', '/admin/users/8'],
    ['/admin/runs?task=backup&outcome=failed', '/admin/runs?task=backup&outcome=failed'],
    ['/admin/keys/./rotate', '/admin/keys/rotate'],
  ])('leads back to %s', (given, page) => {
    expect(parseReturnPath(given)).toBe(page);
  });

  it.each([
    undefined,
    '',
    '/',
    '/v1/jobs',
    'admin',
    'https://evil.example/admin',
    '//evil.example/admin',
    '/\\evil.example',
    '/admin\\@evil.example',
    '/administrator',
    '/admin.evil.example',
    '/admin/../v1',
    '/admin/%2e%2e/v1',
    '/admin/\tx',
    '/admin/ x',
    'javascript:alert(1)',
    '/admin/sign-in',
    '/admin/sign-in/code',
    '/admin/sign-out',
    '/admin/confirm?to=x',
    '/admin/events?view=overview',
    ['/admin/users'],
    `/admin/${'x'.repeat(2_000)}`,
  ])('leads to the overview for %j', (given) => {
    expect(parseReturnPath(given)).toBe('/admin');
  });
});

describe(addReturnPath.name, () => {
  it('names the page unless it is the overview', () => {
    expect(addReturnPath('/admin/sign-in', '/admin')).toBe('/admin/sign-in');
    expect(addReturnPath('/admin/sign-in', '/admin/runs?task=backup')).toBe(
      '/admin/sign-in?to=%2Fadmin%2Fruns%3Ftask%3Dbackup',
    );
  });
});

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
  ])('accepts %j', (headers) => {
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

  it('allows links', () => {
    expect(check({ 'sec-fetch-site': 'cross-site' }, 'GET')).not.toThrow();
  });
});
