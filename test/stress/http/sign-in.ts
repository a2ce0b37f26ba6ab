import { randomUUID } from 'node:crypto';
import { StressInstallation } from '../installation';
import { pause } from '../../support/wait-for';

/** Sizes of the scenario. */
export interface SignInOptions {
  /** The number of concurrent logins. */
  readonly flood: number;
  /** Accounts whose responses are timed, each next to an address without an account. */
  readonly accounts: number;
}

/** Clients that read continuously, as one busy front end does. */
const READERS = 8;
const BASELINE_MS = 3_000;

const ADMIN = { email: 'admin@example.org', password: 'only for this scenario' };

interface Reads {
  readonly perSecond: number;
  readonly p99Ms: number;
}

/**
 * Measures two aspects of sign-in. How many reads remain during a flood of logins, at the real cost of a password.
 * Whether response times reveal which addresses have an account, at a low cost, where other differences would show.
 */
export async function stressSignIn({ flood, accounts }: SignInOptions): Promise<object> {
  const floods = await withInstallation({ PASSWORD_HASH_COST: '12', AUTH_THROTTLE_SCALE: '1000000' }, (url) =>
    stressFlood(url, flood),
  );
  const times = await withInstallation({ PASSWORD_HASH_COST: '8', AUTH_THROTTLE_SCALE: '1000000' }, (url) =>
    measureTimes(url, accounts),
  );
  return { flood: floods, medians: times };
}

async function withInstallation<T>(settings: Record<string, string>, work: (url: string) => Promise<T>): Promise<T> {
  const installation = new StressInstallation(settings);
  try {
    const { api: url } = await installation.start();
    return await work(url);
  } finally {
    await installation.remove();
  }
}

async function stressFlood(url: string, size: number): Promise<object> {
  const { accessToken } = (await (await post(url, 'login', ADMIN)).json()) as { accessToken: string };
  await read(url, accessToken, pause(1_000, 'warms the server up'));
  const calm = await read(url, accessToken, pause(BASELINE_MS, 'the baseline is measured for this time'));
  const answers = Promise.all(
    Array.from({ length: size }, () =>
      post(url, 'login', { email: `${randomUUID()}@example.com`, password: 'not it at all' }),
    ),
  );
  const during = await read(url, accessToken, answers);
  const statuses = (await answers).map(({ status }) => status);
  const refused = (await answers).filter(({ status }) => status === 429);
  return {
    calm,
    during,
    keptPercent: Math.round((100 * during.perSecond) / calm.perSecond),
    answered401: statuses.filter((status) => status === 401).length,
    refused429: refused.length,
    refusedWithRetryAfter: refused.filter(({ headers }) => headers.has('retry-after')).length,
  };
}

/** Reads until the other work is done. */
async function read(url: string, token: string, until: Promise<unknown>): Promise<Reads> {
  const took: number[] = [];
  let isOver = false;
  void until.finally(() => (isOver = true));
  const began = performance.now();
  const reader = async (): Promise<void> => {
    while (!isOver) {
      const start = performance.now();
      const answer = await fetch(`${url}/v1/users/me`, { headers: { authorization: `Bearer ${token}` } });
      await answer.arrayBuffer();
      if (answer.status !== 200) throw new Error(`a read was answered ${answer.status}`);
      took.push(performance.now() - start);
    }
  };
  await Promise.all(Array.from({ length: READERS }, reader));
  const seconds = (performance.now() - began) / 1_000;
  took.sort((a, b) => a - b);
  return { perSecond: Math.round(took.length / seconds), p99Ms: round(took[Math.floor(took.length * 0.99)] ?? 0) };
}

async function measureTimes(url: string, count: number): Promise<object> {
  const password = 'seven green umbrellas';
  const known = Array.from({ length: count }, () => `${randomUUID()}@example.com`);
  for (const email of known) await post(url, 'register', { email, password });
  const figures: Record<string, object> = {};
  for (const [path, body] of [
    ['login', { password: 'not it at all' }],
    ['register', { password }],
    ['password/forgot', {}],
  ] as const) {
    const times: { known: number[]; unknown: number[] } = { known: [], unknown: [] };
    for (const email of known) {
      // Alternates, so that other load affects both alike.
      times.known.push(await measureMs(() => post(url, path, { email, ...body })));
      times.unknown.push(await measureMs(() => post(url, path, { email: `${randomUUID()}@example.com`, ...body })));
    }
    const [knownMs, unknownMs] = [getMedian(times.known), getMedian(times.unknown)];
    figures[path] = { knownMs, unknownMs, differencePercent: round((100 * (knownMs - unknownMs)) / unknownMs) };
  }
  return figures;
}

async function post(url: string, path: string, body: object): Promise<Response> {
  return fetch(`${url}/v1/auth/${path}`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(body),
  });
}

async function measureMs(request: () => Promise<Response>): Promise<number> {
  const start = performance.now();
  await (await request()).arrayBuffer();
  return performance.now() - start;
}

function getMedian(values: number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  return round(sorted[Math.floor(sorted.length / 2)] ?? 0);
}

function round(value: number): number {
  return Math.round(value * 100) / 100;
}
