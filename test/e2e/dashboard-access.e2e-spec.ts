import { DashboardSessionsService } from '../../src/admin/dashboard/dashboard-sessions.service';
import { SessionsService } from '../../src/auth/sessions/sessions.service';
import { SCHEDULED_TASKS } from '../../src/scheduled-tasks';
import { createAccount, signInToDashboard, rawRequest, type RawAnswer } from '../support/dashboard-client';
import { startApp, type TestApp } from '../support/test-app';
import { waitFor } from '../support/wait-for';

/** Everything readable that needs the sign-in: pages, the script, the events, and bull-board with its API. */
const PAGES = [
  '/admin',
  '/admin/script.js',
  '/admin/events',
  '/admin/events?view=overview',
  '/admin/runs',
  '/admin/runs/1',
  '/admin/runs/1/retry',
  '/admin/runs/retry-all',
  '/admin/tasks/create-partitions',
  '/admin/tasks/create-partitions/run',
  '/admin/database',
  '/admin/partitions',
  '/admin/security',
  '/admin/users',
  '/admin/users/1',
  '/admin/users/1/deactivate',
  '/admin/keys',
  '/admin/mail',
  '/admin/backups',
  '/admin/backups/make',
  '/admin/backups/1/verify',
  '/admin/confirm',
  '/admin/account',
  '/admin/queues',
  '/admin/queues/mend.js',
  '/admin/queues/queue/tasks',
  '/admin/queues/api/queues',
  '/admin/queues/api/queues?activeQueue=tasks&status=delayed',
  '/admin/queues/api/queues/tasks/1',
];

/** Other spellings of a path that routers, proxies and file systems may treat as equal. */
const SPELLINGS: Readonly<Record<string, (path: string) => string>> = {
  unchanged: (path) => path,
  'a slash at the end': (path) => path.replace(/(\?|$)/, '/$1'),
  'two slashes': (path) => path.replace('/admin', '//admin'),
  'two slashes within': (path) => path.replace('/admin', '/admin/'),
  'a dot': (path) => path.replace('/admin', '/./admin'),
  'an encoded dot': (path) => path.replace('/admin', '/%2e/admin'),
  'back and forth': (path) => path.replace('/admin', '/docs/../admin'),
  'encoded back and forth': (path) => path.replace('/admin', '/docs/%2e%2e/admin'),
  'into an open route and out': (path) => path.replace('/admin', '/admin/sign-in/..'),
  'into an open route and out, encoded': (path) => path.replace('/admin', '/admin/style.css/%2e%2e'),
  'out by an encoded slash': (path) => path.replace('/admin', '/admin/style.css%2f..'),
  capitals: (path) => path.replace('/admin', '/ADMIN'),
  'an encoded letter': (path) => path.replace('/admin', '/%61dmin'),
  'letters encoded twice': (path) => path.replace('/admin', '/%2561dmin'),
  'an encoded slash': (path) => path.replace('/admin/', '/admin%2F'),
  'all slashes encoded': (path) => `/${path.slice(1).replaceAll('/', '%2f')}`,
  'a matrix parameter': (path) => path.replace('/admin', '/admin;v=1'),
  'a matrix parameter of an open route': (path) => path.replace('/admin', '/admin/style.css;/..'),
  'a backslash': (path) => path.replace('/admin/', '/admin\\'),
  'NUL at the end': (path) => path.replace(/(\?|$)/, '%00$1'),
  'a file name at the end': (path) => path.replace(/(\?|$)/, '/main.css$1'),
  'an open route as a query': (path) => `${path}${path.includes('?') ? '&' : '?'}/admin/style.css`,
  'a fragment': (path) => `${path}#/admin/style.css`,
};

/** Text of pages for admins only, and of the queue's API. */
const PROTECTED_TEXT = new RegExp(
  `${SCHEDULED_TASKS.map(({ id }) => id).join('|')}|Sign out|data-live|EventSource|"queues"|"counts"` +
    '|event: parts|__UI_CONFIG__',
);

describe('access to /admin for visitors who are not admins', () => {
  let app: TestApp;
  const visitors: Record<string, Record<string, string>> = {};

  beforeAll(async () => {
    app = await startApp();
    const admin = await createAccount(app, 'admin', 'admin@example.com');
    const user = await createAccount(app, 'user', 'user@example.com');
    const buildCookie = (userId: number, sessionId: string, ends: number, seen = Date.now()): string => {
      // Signed by the server, so only the content is wrong.
      const sessions = app.get(DashboardSessionsService) as unknown as { sign(claims: string): string };
      const claims = `${userId}.${sessionId}.${ends}.${seen}`;
      return `gigvault_admin=${claims}.${sessions.sign(claims)}`;
    };
    const later = Date.now() + 3_600_000;
    const ended = await signInToDashboard(app, admin);
    const [adminId, endedSession] = ended.replace('gigvault_admin=', '').split('.');
    await app.get(SessionsService).end(Number(adminId), endedSession!);
    await waitFor(
      'the server knows that the session has ended',
      async () => (await app.get(SessionsService).findLive(endedSession!)) === null,
    );
    Object.assign(visitors, {
      'an anonymous visitor': {},
      'a visitor with an access token of the API': { authorization: `Bearer ${admin.sessionId}` },
      'a user whose cookie is signed': { cookie: buildCookie(user.id, user.sessionId, later) },
      'an admin whose sign-in is too old': { cookie: buildCookie(admin.id, admin.sessionId, Date.now() - 1) },
      'an admin whose session has ended': { cookie: ended },
      'an admin whose cookie has an extra part': {
        cookie: `${buildCookie(admin.id, admin.sessionId, later)}.anything`,
      },
      'a visitor with a forged cookie': { cookie: `gigvault_admin=${admin.id}.${admin.sessionId}.${later}.AAAA` },
    });
  });

  afterAll(() => app.close());

  function findLeak({ status, body, location, headers }: RawAnswer): string | null {
    if (status === 303 && !/^\/admin\/sign-in(\?to=%2Fadmin|$)/.test(location ?? '')) return `sent to ${location}`;
    if (![204, 303, 400, 401, 403, 404, 405, 414].includes(status)) return `answered ${status}`;
    if (status === 204 && body !== '') return 'a body with 204';
    if (headers['set-cookie'] !== undefined) return 'a cookie';
    const text = PROTECTED_TEXT.exec(body.replace(/"instance":"[^"]*"/, ''))?.[0];
    return text === undefined ? null : `contains ${text}`;
  }

  /** GET by every visitor. Other methods pass the same guard, so each path gets them from one visitor, in turn. */
  const listRequests = (index: number): [visitor: string, method: string][] => {
    const names = Object.keys(visitors);
    return [
      ...names.map((name): [string, string] => [name, 'GET']),
      [names[index % names.length]!, 'HEAD'],
      [names[(index + 1) % names.length]!, 'OPTIONS'],
    ];
  };

  it.each(Object.keys(SPELLINGS))('is refused for %s', async (spelling) => {
    const leaksFound: string[] = [];
    let requests = 0;
    for (const [index, page] of PAGES.entries()) {
      const path = SPELLINGS[spelling]!(page);
      await Promise.all(
        listRequests(index).map(async ([visitor, method]) => {
          const accept = requests++ % 2 ? 'text/html' : '*/*';
          const answer = await rawRequest(app, path, { ...visitors[visitor], accept }, method);
          const leak = findLeak(answer);
          if (leak) leaksFound.push(`${visitor}: ${method} ${path} ${leak}`);
        }),
      );
    }
    expect(requests).toBe(9 * PAGES.length);
    expect(leaksFound).toEqual([]);
  });

  it('performs no action for them', async () => {
    const actions = [
      '/admin/tasks/create-partitions/run',
      '/admin/tasks/create-partitions/pause',
      '/admin/users/1/deactivate',
      '/admin/users/1/reset-mfa',
      '/admin/keys/rotate',
      '/admin/sign-out',
    ];
    for (const [, headers] of Object.entries(visitors)) {
      for (const path of actions) {
        const { status } = await rawRequest(app, path, { ...headers, 'sec-fetch-site': 'same-origin' }, 'POST');
        expect([401, 403]).toContain(status);
      }
      const { status } = await rawRequest(
        app,
        '/admin/queues/api/queues/tasks/pause',
        { ...headers, 'sec-fetch-site': 'same-origin' },
        'PUT',
      );
      expect([401, 403]).toContain(status);
    }
    expect(await app.db.query('superuser', 'SELECT 1 FROM task_runs UNION ALL SELECT 1 FROM task_settings')).toEqual(
      [],
    );
    expect(await app.db.query('superuser', 'SELECT 1 FROM users WHERE NOT is_active')).toEqual([]);
  });

  it('is granted to an admin', async () => {
    const cookie = await signInToDashboard(app, { email: 'admin@example.com', password: 'seven green umbrellas' });
    const [run] = await app.db.query<{ id: number }>(
      'superuser',
      `INSERT INTO task_runs (task, started_by, outcome) VALUES ('purge-expired', 'boot', 'queued') RETURNING id`,
    );
    expect(run?.id).toBe(1);
    for (const path of PAGES.filter((page) => !page.endsWith('/tasks/1'))) {
      const { status, body } = await rawRequest(app, path, { cookie });
      expect([path, status]).toEqual([path, 200]);
      expect([path, body.length > 100]).toEqual([path, true]);
    }
    await app.db.query('superuser', 'DELETE FROM task_runs');
  });
});
