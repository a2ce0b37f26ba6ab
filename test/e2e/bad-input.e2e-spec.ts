import { createSignedInCaller, type SignedInCaller } from '../support/accounts';
import { startApp, type TestApp } from '../support/test-app';
import { buildBadRequests } from '../support/bad-input';
import { readOperations, type Operation } from '../support/openapi-operations';

/** Most violations in one failure message. */
const SHOWN = 20;

interface Problem {
  readonly code?: string;
  readonly requestId?: string;
  readonly errors?: readonly { readonly pointer: string }[];
}

describe('bad input', () => {
  let app: TestApp;
  let user: SignedInCaller;
  let admin: SignedInCaller;
  let operations: Operation[];

  beforeAll(async () => {
    app = await startApp();
    user = await createSignedInCaller(app);
    admin = await createSignedInCaller(app, { role: 'admin' });
    operations = (await readOperations(app.url)).filter(({ path }) => path.startsWith('/v1/'));
  });
  afterAll(() => app.close());

  it('is a clear 4xx problem on every route, in 30 kinds for a body, with the field if there is one', async () => {
    const wrong: string[] = [];
    const few: string[] = [];
    let sent = 0;
    for (const operation of operations) {
      const caller = operation.path.startsWith('/v1/admin') || operation.path.startsWith('/v1/dev') ? admin : user;
      const requests = buildBadRequests(operation);
      sent += requests.length;
      // The import reports errors row by row: see jobs-import.e2e-spec.
      const hasManyKinds = requests.length >= 30 || operation.path === '/v1/jobs/import';
      if (operation.body && !hasManyKinds) few.push(`${operation.method} ${operation.path}`);
      for (const request of requests) {
        const label = `${request.method} ${operation.path}: ${request.kind}`;
        const answer = await caller.send<Problem>(request.method, request.path, request.body, request.headers);
        if (answer.status < 400 || answer.status > 499) {
          wrong.push(`${label} → ${answer.status}`);
          continue;
        }
        if (!answer.headers.get('content-type')?.startsWith('application/problem+json')) {
          wrong.push(`${label} → ${answer.headers.get('content-type')}`);
        } else if (!answer.body.code || !answer.body.requestId) {
          wrong.push(`${label} → no code or no request id`);
        } else if (answer.body.code === 'validation.failed' && request.pointer) {
          const pointers = (answer.body.errors ?? []).map(({ pointer }) => pointer);
          const named = pointers.some(
            (pointer) => pointer === request.pointer || pointer.startsWith(`${request.pointer}/`),
          );
          if (!named) wrong.push(`${label} → points at ${pointers.join(', ')}`);
        }
      }
    }

    expect(few).toEqual([]);
    expect(wrong.slice(0, SHOWN)).toEqual([]);
    expect(wrong).toHaveLength(0);
    expect(sent).toBeGreaterThan(30 * operations.filter(({ body }) => body).length);
  });
});
