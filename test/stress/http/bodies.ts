import type { InstallationServices } from '../../../src/local-services/server-environment';
import { buildFormShapes, buildImportShapes, buildShapedRequests, type ShapedRequest } from '../../support/body-shapes';
import { readOperations } from '../../support/openapi-operations';
import { ADMIN_SETTINGS, StressInstallation } from '../installation';

const BYTES = 1_044_480;

/** The largest body of a route without a sign-in; larger bodies are refused unread. */
const PUBLIC_BYTES = 60_000;
const FORM_BYTES = 15_000;

/** How many of the slowest are printed. */
const WORST = 10;

const ATTEMPTS = 4;

interface Measured {
  readonly label: string;
  readonly delayMs: number;
  readonly status: number;
}

/**
 * Sends each shape of body to each route that takes one, one text field at a time, and measures the liveness route of
 * the same process meanwhile. Fails when a response is 500 or the delay exceeds the bound.
 */
export async function stressBodies({ boundMs }: { boundMs: number }): Promise<object> {
  const installation = new StressInstallation({ AUTH_THROTTLE_SCALE: '1000000' });
  try {
    const { api: url } = await installation.start();
    const token = await signIn(url);
    const operations = (await readOperations(url)).filter(
      ({ path, body }) => body && path !== '/v1/jobs/import' && !path.endsWith('/erase'),
    );
    const requests = [
      ...operations.flatMap((operation) =>
        buildShapedRequests(operation, operation.signedIn ? BYTES : PUBLIC_BYTES, { isEach: true }),
      ),
      ...buildImportShapes(BYTES),
      ...[BYTES, FORM_BYTES].flatMap((bytes) => buildFormShapes('/admin/sign-in', bytes)),
    ];
    const measured: Measured[] = [];
    for (const request of requests) {
      let result = await measure(url, token, request);
      // Other load only adds time, so the smallest of several is the best estimate.
      for (let attempt = 1; attempt < ATTEMPTS && result.delayMs > boundMs; attempt += 1) {
        const again = await measure(url, token, request);
        if (again.delayMs < result.delayMs) result = again;
      }
      measured.push(result);
    }
    const worst = measured.sort((a, b) => b.delayMs - a.delayMs).slice(0, WORST);
    const faults = measured.filter(({ status, delayMs }) => status === 500 || delayMs > boundMs);
    if (faults.length > 0)
      throw new Error(`these held up the process or failed: ${JSON.stringify(faults.slice(0, WORST))}`);
    return { routes: operations.length + 2, requests: requests.length, worst };
  } finally {
    await installation.remove();
  }
}

async function signIn(url: InstallationServices['api']): Promise<string> {
  const body = JSON.stringify({
    email: ADMIN_SETTINGS.GIGVAULT_ADMIN_EMAIL,
    password: ADMIN_SETTINGS.GIGVAULT_ADMIN_PASSWORD,
  });
  const answer = await fetch(`${url}/v1/auth/login`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body,
  });
  return ((await answer.json()) as { accessToken: string }).accessToken;
}

/** Returns the longest response time of /health/live during the request. */
async function measure(
  url: string,
  token: string,
  { method, path, shape, type, body }: ShapedRequest,
): Promise<Measured> {
  const headers = { authorization: `Bearer ${token}`, 'content-type': type };
  let isOver = false;
  const answered = fetch(url + path, { method, headers, body }).then(async (answer) => {
    await answer.arrayBuffer();
    isOver = true;
    return answer.status;
  });
  let delayMs = 0;
  do {
    const asked = performance.now();
    await (await fetch(`${url}/health/live`)).arrayBuffer();
    delayMs = Math.max(delayMs, Math.round(performance.now() - asked));
  } while (!isOver);
  return { label: `${method} ${path}: ${shape}`, delayMs, status: await answered };
}
