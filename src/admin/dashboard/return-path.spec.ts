import { leadingTo, returnPath } from './return-path';

describe(returnPath.name, () => {
  it.each([
    ['/admin', '/admin'],
    ['/admin/users/8', '/admin/users/8'],
    ['/admin/runs?task=backup&outcome=failed', '/admin/runs?task=backup&outcome=failed'],
    ['/admin/keys/./rotate', '/admin/keys/rotate'],
  ])('leads back to %s', (given, page) => {
    expect(returnPath(given)).toBe(page);
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
    expect(returnPath(given)).toBe('/admin');
  });
});

describe(leadingTo.name, () => {
  it('names the page unless it is the overview', () => {
    expect(leadingTo('/admin/sign-in', '/admin')).toBe('/admin/sign-in');
    expect(leadingTo('/admin/sign-in', '/admin/runs?task=backup')).toBe(
      '/admin/sign-in?to=%2Fadmin%2Fruns%3Ftask%3Dbackup',
    );
  });
});
