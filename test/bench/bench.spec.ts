import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { load } from './load';
import { dropsAgainst, summarise, thisMachine, type BenchResult } from './result';
import type { Round } from './rounds';

const round = (product: number, fastify: number, pgbench: number): Round => ({
  product: { rps: product, p99Ms: 3, serverCpuUs: 200 },
  fastify: { rps: fastify, p99Ms: 2 },
  fastifyPipelined: { rps: fastify, serverCpuUs: 150 },
  pgbench: { rps: pgbench },
});

const resultOf = (...rounds: Round[]): BenchResult => ({
  machine: thisMachine(),
  size: {},
  operations: { a: summarise(rounds) },
  byConcurrency: {},
  extras: undefined,
});

describe(summarise.name, () => {
  it('takes the median of the ratios within rounds, not the ratio of the medians', () => {
    const result = summarise([round(100, 100, 400), round(300, 200, 1000), round(50, 100, 1000)]);

    expect(result).toMatchObject({ vsFastify: 1, vsPgbench: 0.25, p99Ratio: 1.5, cpuUs: 200, cpuOverPipelinedUs: 50 });
    expect(result.spread.vsFastify).toMatchObject({ median: 1, min: 0.5, max: 1.5 });
  });

  it('leaves the ratio to pgbench empty where there is none', () => {
    const { pgbench: _, ...without } = round(100, 100, 1);

    expect(summarise([without]).vsPgbench).toBeNull();
  });
});

describe(dropsAgainst.name, () => {
  it('tells a ratio that fell by more than 15 %', () => {
    const drops = dropsAgainst(resultOf(round(100, 100, 400)), resultOf(round(84, 100, 400)));

    expect(drops).toEqual(['a vsFastify: 0.84 instead of 1 (-16 %)', 'a vsPgbench: 0.21 instead of 0.25 (-16 %)']);
  });

  it('lets a slower machine pass: only ratios count', () => {
    expect(dropsAgainst(resultOf(round(100, 100, 400)), resultOf(round(10, 10, 40)))).toEqual([]);
  });
});

describe(load.name, () => {
  let server: Server;
  let port: number;
  let status: number;

  beforeAll(async () => {
    server = createServer((request, response) => {
      request.resume().on('end', () => response.writeHead(status).end(`{"path":"${request.url}"}`));
    });
    await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening));
    ({ port } = server.address() as AddressInfo);
  });

  afterAll(() => server.close());

  const run = () => load({ port, connections: 3, seconds: 0.1, next: () => ({ method: 'POST', path: '/x', body: '{"é":1}' }) });

  it('counts what was answered', async () => {
    status = 201;

    const result = await run();

    expect(result.requests).toBeGreaterThan(3);
    expect(result.p50Ms).toBeLessThanOrEqual(result.p99Ms);
  });

  it('refuses to count errors', async () => {
    status = 500;

    await expect(run()).rejects.toThrow(/under load the server answered\nHTTP\/1.1 500/);
  });
});
