import { execFile } from 'node:child_process';
import { appendFileSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { createLogger } from '../../src/platform/logging/logger';
import { Checkout } from '../support/checkout';

const run = promisify(execFile);

interface Result {
  readonly stdout: string;
  readonly stderr: string;
  readonly code?: number;
}

describe('npm run logs', () => {
  let checkout: Checkout;
  beforeAll(() => (checkout = new Checkout()));
  beforeEach(() => mkdirSync(checkout.createDataFolder('logs'), { recursive: true }));
  afterEach(() => rmSync(checkout.createDataFolder('logs'), { recursive: true }));
  afterAll(() => checkout.remove());

  const logs = (...args: readonly string[]): Promise<Result> =>
    run(process.execPath, ['src/cli/build.cjs', 'dist/src/cli/logs.js', ...args], { cwd: checkout.path }).catch(
      (error: Result) => error,
    );

  const resolveLog = (name: string): string => join(checkout.createDataFolder('logs'), name);

  /** Writes a line as the servers do, at a time of its own. */
  function writeLine(name: string, time: string, fields: object, message: string): void {
    const write = (line: string): void => {
      appendFileSync(resolveLog(name), `${JSON.stringify({ ...JSON.parse(line), time: `2026-01-01T${time}.000Z` })}\n`);
    };
    createLogger('info', { write }).info(fields, message);
  }

  it('prints the lines of one request, from both servers and the log before, oldest first', async () => {
    writeLine('worker.log', '10:00:03', { requestId: 'abc', source: 'TaskRunner' }, 'third');
    writeLine('api.log.1', '10:00:01', { requestId: 'abc', stack: 'Error: no\n    at one (a.js:1)' }, 'first');
    writeLine('api.log', '10:00:02', { requestId: 'abc', method: 'GET', status: 200 }, 'second');
    writeLine('api.log', '10:00:02', { requestId: 'abcd', other: 'abc' }, 'of another request');

    const { stdout } = await logs('abc');

    expect(stdout.split('\n')).toEqual([
      '2026-01-01T10:00:01.000Z INFO  api    first',
      '    Error: no',
      '    at one (a.js:1)',
      '2026-01-01T10:00:02.000Z INFO  api    second method=GET status=200',
      '2026-01-01T10:00:03.000Z INFO  worker TaskRunner: third',
      '',
    ]);
  });

  it('prints neither secrets nor control characters', async () => {
    writeLine('api.log', '10:00:00', { requestId: 'abc', password: 'canary', body: { token: 'canary' } }, '\u001b[2Jx');

    const { stdout } = await logs('abc');

    expect(stdout).toContain('\\u001b[2Jx password=[redacted] body={"token":"[redacted]"}');
    expect(stdout).not.toContain('canary');
  });

  it('prints the newest 50 lines without an id, and a crash report where it happened', async () => {
    for (let second = 10; second < 60; second++) writeLine('api.log', `10:00:${second}`, {}, `line ${second}`);
    appendFileSync(resolveLog('api.log'), 'FATAL ERROR: out of memory\n');
    writeLine('worker.log', '11:00:00', {}, 'the last');

    const lines = (await logs()).stdout.trim().split('\n');

    expect(lines).toHaveLength(50);
    expect(lines[0]).toContain('line 12');
    expect(lines.slice(-2).join()).toMatch(/FATAL ERROR: out of memory.*the last/);
  });

  it('says where it searched when no line has the id', async () => {
    writeFileSync(resolveLog('api.log'), '');

    const { code, stderr } = await logs('abc');

    expect(code).toBe(1);
    expect(stderr).toBe(`No line with this id is in ${checkout.createDataFolder('logs')}.\n`);
  });

  it('prints its options at --help', async () => {
    expect((await logs('--help')).stdout).toContain('Usage: npm run logs -- [ID]');
  });
});
