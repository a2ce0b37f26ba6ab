import { once } from 'node:events';
import { request, type IncomingMessage } from 'node:http';
import { performance } from 'node:perf_hooks';
import { Readable } from 'node:stream';
import { json } from 'node:stream/consumers';
import { withClient } from '../../src/local-services/database-setup';
import type { BenchCaller, BenchUsers } from './bench-users';
import { buildJob } from './operations';
import type { BenchServerProcess } from './server-process';
import type { BenchServices } from './services';
import { computeSpread, type Spread } from './statistics';

/** Rows a second over HTTP and by bare SQL, alternately, and their ratio. */
export interface ImportRate {
  readonly rows: number;
  readonly rps: number;
  readonly bareRps: number;
  readonly ratio: Spread;
}

/** Memory of the server during a long streamed body, in MiB. */
export interface StreamMemory {
  readonly rows: number;
  readonly bodyMiB: number;
  readonly rps: number;
  readonly before: number;
  /** The peak in each fifth of the time. */
  readonly peaks: readonly number[];
  /** The last peak less the second: what the body's length adds once the heap has its size. */
  readonly growth: number;
}

const SAMPLE_MS = 50;
const FIFTHS = 5;

/** Imports the same rows alternately over HTTP and by one INSERT … SELECT unnest(…), audited by the triggers. */
export async function measureImports(
  port: number,
  { callers }: BenchUsers,
  services: BenchServices,
  { importRows, rounds }: { importRows: number; rounds: number },
): Promise<ImportRate> {
  const pairs: { http: number; bare: number }[] = [];
  const caller = callers[0]!;
  for (let round = -1; round < rounds; round++) {
    const body = JSON.stringify(Array.from({ length: importRows }, buildJob));
    const http = await measureSeconds(() => sendFile(port, caller, 'application/json', body));
    const bareRows = Array.from({ length: importRows }, buildJob);
    const bare = await measureBareInsert(services, caller.userId, bareRows);
    // The first pair is a warm-up.
    if (round >= 0) pairs.push({ http, bare });
  }
  const median = (of: (pair: { http: number; bare: number }) => number): number => computeSpread(pairs.map(of))!.median;
  return {
    rows: importRows,
    rps: Math.round(median(({ http }) => importRows / http)),
    bareRps: Math.round(median(({ bare }) => importRows / bare)),
    ratio: computeSpread(pairs.map(({ http, bare }) => bare / http))!,
  };
}

/** Streams a body of rows as NDJSON, generated while it is sent, and observes the server's memory. */
export async function measureStream(
  server: BenchServerProcess,
  { callers }: BenchUsers,
  rows: number,
): Promise<StreamMemory> {
  const before = server.memory;
  const samples: number[] = [];
  const watch = setInterval(() => samples.push(server.memory), SAMPLE_MS);
  let bytes = 0;
  const lines = Readable.from(
    (function* () {
      for (let row = 0; row < rows; row++) {
        const line = Buffer.from(`${JSON.stringify({ ...buildJob(), description: 'One of very many.' })}\n`);
        bytes += line.length;
        yield line;
      }
    })(),
  );
  const seconds = await measureSeconds(() => sendFile(server.port, callers[1]!, 'application/x-ndjson', lines));
  clearInterval(watch);
  const fifth = Math.ceil(samples.length / FIFTHS);
  const peaks = Array.from({ length: FIFTHS }, (_, i) =>
    Math.round(Math.max(...samples.slice(i * fifth, (i + 1) * fifth))),
  );
  return {
    rows,
    bodyMiB: Math.round(bytes / 2 ** 20),
    rps: Math.round(rows / seconds),
    before: Math.round(before),
    peaks,
    growth: peaks.at(-1)! - peaks[1]!,
  };
}

/** Inserts the same rows by one statement of the same login; its parameters are built before the timing. */
async function measureBareInsert(
  services: BenchServices,
  userId: number,
  rows: readonly Record<string, unknown>[],
): Promise<number> {
  const column = (name: string): unknown[] => rows.map((row) => row[name]);
  const skills = rows.map((row) => `{${(row['skills'] as string[]).map((skill) => `"${skill}"`).join()}}`);
  const names = [
    'upworkJobId',
    'title',
    'description',
    'budgetMin',
    'budgetMax',
    'category',
    'country',
    'jobType',
    'experienceLevel',
  ];
  const values = [...names.map(column), skills];
  return withClient(services.buildUrl('app'), (client) =>
    measureSeconds(async () => {
      await client.query('BEGIN');
      await client.query(`SELECT set_config('app.context', $1, true)`, [
        services.signer.sign([String(userId), 'user', String(userId)]),
      ]);
      await client.query(
        `INSERT INTO jobs (upwork_job_id, source_key, title, description, budget_min, budget_max, category, country,
           job_type, experience_level, skills)
         SELECT u, 'upwork:' || u, t, d, lo, hi, ca, co, jt, el, sk::text[]
         FROM unnest($1::text[], $2::text[], $3::text[], $4::numeric[], $5::numeric[], $6::text[], $7::text[],
             $8::text[], $9::text[], $10::text[])
           AS r (u, t, d, lo, hi, ca, co, jt, el, sk)`,
        values,
      );
      await client.query('COMMIT');
    }),
  );
}

async function sendFile(port: number, { token }: BenchCaller, type: string, body: string | Readable): Promise<void> {
  const headers = { authorization: `Bearer ${token}`, 'content-type': type };
  const sent = request({ host: '127.0.0.1', port, path: '/v1/jobs/import', method: 'POST', headers });
  if (typeof body === 'string') sent.end(body);
  else body.pipe(sent);
  const [response] = (await once(sent, 'response')) as [IncomingMessage];
  const report = (await json(response)) as { created?: number; failed?: number };
  if (response.statusCode !== 200 || report.failed !== 0)
    throw new Error(`the import failed: ${JSON.stringify(report).slice(0, 500)}`);
}

async function measureSeconds(work: () => Promise<unknown>): Promise<number> {
  const began = performance.now();
  await work();
  return (performance.now() - began) / 1000;
}
