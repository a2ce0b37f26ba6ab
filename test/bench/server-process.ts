import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { connect } from 'node:net';
import { resolve } from 'node:path';
import { findFreePort } from '../../src/local-services/managed-process';
import { readCpu, readMemory } from './cpu';
import { pause } from '../support/wait-for';

const ROOT = resolve(__dirname, '..', '..');
const START_TIMEOUT_MS = 300_000;

/** The product and the hand-written servers, as Node runs them. */
export const PROGRAMS = {
  product: ['dist/src/main.js'],
  fastify: ['-r', 'ts-node/register/transpile-only', 'test/bench/baseline.ts'],
  fastifyPipelined: ['-r', 'ts-node/register/transpile-only', 'test/bench/baseline.ts', '--pipelined'],
} as const;

/** A measured server in its own process. */
export class BenchServerProcess {
  private constructor(
    private readonly child: ChildProcess,
    readonly port: number,
    private readonly output: { text: string },
  ) {}

  /**
   * Starts a server and returns when it listens.
   * @param nodeOptions such as `--cpu-prof`
   * @param preferredPort of a server that was stopped
   * @throws Error with its output when it ends instead
   */
  static async start(
    program: keyof typeof PROGRAMS,
    environment: Readonly<Record<string, string>>,
    nodeOptions: readonly string[] = [],
    preferredPort?: number,
  ): Promise<BenchServerProcess> {
    const port = await findFreePort(preferredPort);
    const child = spawn(process.execPath, [...nodeOptions, ...PROGRAMS[program]], {
      cwd: ROOT,
      env: { ...environment, PORT: String(port) },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    const output = { text: '' };
    for (const stream of [child.stdout, child.stderr]) {
      stream.on('data', (chunk: Buffer) => (output.text += chunk.toString()));
    }
    const deadline = Date.now() + START_TIMEOUT_MS;
    while (!(await isListening(port))) {
      if (child.exitCode !== null || Date.now() > deadline)
        throw new Error(`${program} did not start:\n${output.text}`);
      await pause(50, 'a listening port reports no event');
    }
    return new BenchServerProcess(child, port, output);
  }

  get pid(): number {
    return this.child.pid!;
  }

  /** Returns its output. */
  get log(): string {
    return this.output.text;
  }

  /** Returns the current memory, in MiB. */
  get memory(): number {
    return readMemory(this.pid);
  }

  /** Returns whether it ended, by itself or by a signal. */
  get hasExited(): boolean {
    return this.child.exitCode !== null || this.child.signalCode !== null;
  }

  /** Returns the CPU time so far, in microseconds. */
  get cpu(): number {
    return readCpu(this.pid);
  }

  /** Ends it at once. */
  async kill(): Promise<void> {
    if (this.hasExited) return;
    const ended = once(this.child, 'exit');
    this.child.kill('SIGKILL');
    await ended;
  }

  /** Ends it as an operator would, if it still runs. */
  async stop(): Promise<void> {
    if (this.hasExited) return;
    const ended = once(this.child, 'exit');
    this.child.kill('SIGTERM');
    await ended;
  }
}

function isListening(port: number): Promise<boolean> {
  return new Promise((done) => {
    const socket = connect({ port, host: '127.0.0.1' });
    socket.once('connect', () => done(true)).once('error', () => done(false));
    socket.once('connect', () => socket.destroy());
  });
}
