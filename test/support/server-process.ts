import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { createInterface } from 'node:readline';
import { buildServers } from '../stress/build-servers';

const ROOT = resolve(__dirname, '..', '..');

/** Creates an unhandled rejection at SIGUSR2 and an uncaught exception at SIGURG. */
const PRELOAD_SCRIPT = `
process.on('SIGUSR2', () => void Promise.reject(new Error('a planted rejection')));
process.on('SIGURG', () => { throw new Error('a planted exception'); });
`;

/** The built API or worker in its own process, with injected faults. */
export class ServerProcess {
  /** Its log so far. */
  readonly lines: string[] = [];
  /** Settles with the exit code, or with the name of the signal that ended it. */
  readonly exited: Promise<number | string>;
  private readonly child: ChildProcess;
  private readonly listeners = new Set<() => void>();

  constructor(entry: 'main' | 'worker', settings: Readonly<Record<string, string>>) {
    buildServers();
    const plant = join(tmpdir(), `gigvault-plant-${process.pid}.cjs`);
    writeFileSync(plant, PRELOAD_SCRIPT);
    this.child = spawn(process.execPath, ['--require', plant, join('dist', 'src', `${entry}.js`)], {
      cwd: ROOT,
      env: { ...settings, LOG_LEVEL: 'info' },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    for (const stream of [this.child.stdout!, this.child.stderr!]) {
      createInterface({ input: stream }).on('line', (line) => {
        this.lines.push(line);
        for (const listener of this.listeners) listener();
      });
    }
    this.exited = once(this.child, 'exit').then(([code, signal]: (number | string | null)[]) => code ?? String(signal));
  }

  /** Waits for a line that contains this text. @throws Error with all lines when the process ends first */
  async waitForLine(text: string): Promise<string> {
    const found = (): string | undefined => this.lines.find((line) => line.includes(text));
    while (found() === undefined) {
      const next = new Promise<'line'>((done) => this.listeners.add(() => done('line')));
      if ((await Promise.race([next, this.exited])) !== 'line' && found() === undefined)
        throw new Error(this.lines.join('\n'));
      this.listeners.clear();
    }
    return found()!;
  }

  kill(signal: NodeJS.Signals): void {
    this.child.kill(signal);
  }
}
