import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { runLoad } from './load';
import { MEASURED_IN_ORDER, OPERATIONS } from './operations';
import { assertSameSize, findDrops, summarize, describeMachine, type BenchResult } from './result';
import type { Round } from './rounds';
import { computeSpread } from './statistics';
import { buildShortTable } from './table';

const round = (product: number, fastify: number, pgbench: number): Round => ({
  product: { rps: product, p99Ms: 3, serverCpuUs: 200 },
  fastify: { rps: fastify, p99Ms: 2 },
  fastifyPipelined: { rps: fastify, serverCpuUs: 150 },
  pgbench: { rps: pgbench },
  productCached: { rps: product * 3 },
});

const resultOf = (...rounds: Round[]): BenchResult => ({
  machine: describeMachine('PostgreSQL'),
  size: {},
  operations: { a: summarize(rounds) },
  byConcurrency: {},
  extras: undefined,
});

describe(summarize.name, () => {
  it('takes the median of the ratios within rounds, not the ratio of the medians', () => {
    const result = summarize([round(100, 100, 400), round(300, 200, 1000), round(50, 100, 1000)]);

    expect(result).toMatchObject({ vsFastify: 1, vsPgbench: 0.25, p99Ratio: 1.5, cpuUs: 200, cpuOverPipelinedUs: 50 });
    expect(result.spread.vsFastify).toMatchObject({ median: 1, min: 0.5, max: 1.5 });
  });

  it('leaves the ratio to pgbench empty without pgbench', () => {
    const { pgbench: _, productCached: __, ...without } = round(100, 100, 1);

    expect(summarize([without])).toMatchObject({ vsPgbench: null, cachedVsFastify: null });
  });
});

describe(findDrops.name, () => {
  it('reports a ratio that fell by more than 15 %', () => {
    const drops = findDrops(resultOf(round(100, 100, 400)), resultOf(round(84, 100, 400)));

    expect(drops).toEqual([
      'a vsFastify: 0.84 instead of 1 (-16 %)',
      'a vsPgbench: 0.21 instead of 0.25 (-16 %)',
      'a cachedVsFastify: 2.52 instead of 3 (-16 %)',
    ]);
  });

  it('accepts a slower machine, because only ratios count', () => {
    expect(findDrops(resultOf(round(100, 100, 400)), resultOf(round(10, 10, 40)))).toEqual([]);
  });

  it('reports a ratio that is missing', () => {
    const { pgbench: _, productCached: __, ...without } = round(100, 100, 400);
    const before = resultOf(round(100, 100, 400));
    const gone = ['a vsPgbench: none instead of 0.25', 'a cachedVsFastify: none instead of 3'];

    expect(findDrops(before, resultOf(without))).toEqual(gone);
    expect(findDrops(before, resultOf({ product: { rps: 100 } }))).toEqual(['a vsFastify: none instead of 1', ...gone]);
  });

  it('compares only what was measured', () => {
    const [before, after] = [resultOf(round(100, 100, 400)), { ...resultOf(), operations: {} }];

    expect(findDrops(before, after, ['b'])).toEqual([]);
    expect(findDrops(before, after, ['a', 'b'])).toHaveLength(3);
  });
});

describe(assertSameSize.name, () => {
  it('refuses a result of another size', () => {
    const full = { ...resultOf(round(100, 100, 400)), size: { users: 2_000 } };

    expect(() => assertSameSize(full, { users: 2_000 })).not.toThrow();
    expect(() => assertSameSize(full, { users: 200 })).toThrow(
      'the earlier result is of another size: {"users":2000} there, {"users":200} here; ' +
        'ratios of the two are not compared',
    );
  });
});

describe('the order of measuring', () => {
  it('has each operation once, and those that add rows at the end', () => {
    expect([...MEASURED_IN_ORDER].sort()).toEqual(OPERATIONS);
    expect(MEASURED_IN_ORDER.slice(-2)).toEqual(['d', 'c']);
  });
});

describe(buildShortTable.name, () => {
  it('has a line for each operation, and names the machine', () => {
    const { machine } = resultOf(round(100, 100, 400));
    const lines = buildShortTable(resultOf(round(100, 100, 400))).split('\n');

    expect(lines[0]).toContain(`${machine.cores} cores of ${machine.cpu}`);
    expect(lines.at(-1)).toBe('| a get a job | 100 | 1.00 | 0.25 | 3.00 |');
  });

  it('has a column for a result of another Node.js', () => {
    const other = resultOf(round(100, 50, 400));
    const beside: BenchResult = { ...other, machine: { ...other.machine, node: 'v20.1.2' } };
    const lines = buildShortTable(resultOf(round(100, 100, 400)), beside).split('\n');

    expect(lines[2]).toContain('| Node v20.1.2: × hand-written |');
    expect(lines.at(-1)).toBe('| a get a job | 100 | 1.00 | 0.25 | 3.00 | 2.00 |');
  });
});

describe(computeSpread.name, () => {
  it('returns the median, the extremes and the bounds of the middle half', () => {
    expect(computeSpread([5, 1, 4, 2, 3])).toEqual({ median: 3, min: 1, max: 5, lower: 2, upper: 4 });
    expect(computeSpread([4, 1, 2, 3])?.median).toBe(2.5);
    expect(computeSpread([])).toBeUndefined();
  });
});

describe(runLoad.name, () => {
  let server: Server;
  let port: number;
  let status: number;
  let answered: string[];

  beforeAll(async () => {
    answered = [];
    server = createServer((request, response) => {
      answered.push(request.url!);
      request.resume().on('end', () => response.writeHead(status).end(`{"path":"${request.url}"}`));
    });
    await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening));
    ({ port } = server.address() as AddressInfo);
  });

  afterAll(() => server.close());

  const run = (path: string) =>
    runLoad({ port, connections: 3, seconds: 0.1, next: () => ({ method: 'POST', path, body: '{"é":1}' }) });

  it('counts responses', async () => {
    status = 201;

    const result = await run('/good');
    // Requests of the other test may still arrive.
    const requests = answered.filter((path) => path === '/good').length;

    expect(result.requests).toBe(requests);
    expect(requests).toBeGreaterThanOrEqual(3);
    expect(result.p50Ms).toBeLessThanOrEqual(result.p99Ms);
  });

  it('refuses to count errors', async () => {
    status = 500;

    await expect(run('/bad')).rejects.toThrow(/under load the server answered\nHTTP\/1.1 500/);
  });
});
