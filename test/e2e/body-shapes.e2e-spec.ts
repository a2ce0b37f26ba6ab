import { createAccount, signInToDashboard } from '../support/dashboard-client';
import { startApp, type TestApp } from '../support/test-app';
import { createSignedInCaller, type SignedInCaller } from '../support/accounts';
import { buildFormShapes, buildImportShapes, buildShapedRequests, type ShapedRequest } from '../support/body-shapes';
import { measureLongestTick, measureJsonWalkMs } from '../support/measurements';
import { readOperations } from '../support/openapi-operations';

const MIB = 1_048_576;

/** Limit of a body without sign-in. */
const PUBLIC_BYTES = 60_000;
const FORM_BYTES = 15_000;

/** Allowed cost of a body, as a multiple of the cost of parsing it. */
const FACTOR = 6;

/** Number of measurements. Other load only adds to them, so the smallest is the most exact. */
const ATTEMPTS = 25;

/** One route of each kind: no sign-in, many fields, lists, a URL, an address, no body. */
const ROUTES = ['POST /v1/auth/login', 'POST /v1/jobs', 'PUT /v1/profile', 'POST /v1/webhooks', 'POST /v1/jobs/sync'];

describe('a body of one mebibyte', () => {
  let app: TestApp;
  let user: SignedInCaller;
  let cookie: string;

  beforeAll(async () => {
    app = await startApp();
    user = await createSignedInCaller(app);
    calibrate();
    cookie = await signInToDashboard(app, await createAccount(app, 'admin'));
  });
  afterAll(() => app.close());

  let fastestWalk = Infinity;
  const calibrate = (): number => {
    const walk = measureJsonWalkMs(MIB);
    fastestWalk = Math.min(fastestWalk, walk);
    return walk;
  };

  const send = async ({ method, path, type, body }: ShapedRequest): Promise<number> => {
    const headers = { 'content-type': type, accept: 'text/html', 'sec-fetch-site': 'same-origin', cookie };
    return (await user.send(method, path, body, headers)).status;
  };

  /** Returns the requests that blocked the event loop too long, with the measurements. */
  const slowOnes = async (requests: readonly ShapedRequest[]): Promise<string[]> => {
    const slow: string[] = [];
    for (const request of requests) {
      const label = `${request.method} ${request.path}: ${request.shape}`;
      const seen: string[] = [];
      for (let isSlow = true; isSlow && seen.length < ATTEMPTS;) {
        let status = 0;
        const took = await measureLongestTick(async () => (status = await send(request)));
        if (status >= 500) slow.push(`${label} → ${status}`);
        // Most are far below the fastest calibration. The others are compared with a new one.
        isSlow = took > FACTOR * fastestWalk && took > FACTOR * calibrate();
        seen.push(`${Math.round(took)} ms, ${Math.round(fastestWalk)} ms to walk`);
        if (isSlow && seen.length === ATTEMPTS) slow.push(`${label}: ${seen.join('; ')}`);
      }
    }
    return slow;
  };

  it.each(ROUTES)('does not block the process at %s', async (route) => {
    const operation = (await readOperations(app.url)).find(({ method, path }) => `${method} ${path}` === route)!;
    const bytes = operation.signedIn ? MIB - 4_096 : PUBLIC_BYTES;

    expect(await slowOnes(buildShapedRequests(operation, bytes))).toEqual([]);
  });

  it('does not block the process at the import', async () => {
    expect(await slowOnes(buildImportShapes(MIB))).toEqual([]);
  });

  it('does not block the process at a form of the dashboard', async () => {
    expect(await slowOnes([MIB, FORM_BYTES].flatMap((bytes) => buildFormShapes('/admin/sign-in', bytes)))).toEqual([]);
  });
});
