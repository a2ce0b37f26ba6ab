import { execFile } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, relative, resolve } from 'node:path';

const ROOT = resolve(__dirname, '..', '..');

/** Build output, installed packages, caches and git data; everything else belongs to the repository. */
const NOT_COPIED = new Set(['node_modules', 'dist', 'coverage', '.cache', '.git', '.gigvault']);

/** The exit code and the output of a program in a copy. */
export interface Run {
  readonly code: number;
  readonly output: string;
}

/** A copy of the repository in a temporary folder, for changes by a test. It uses the repository's packages. */
export class RepositoryCopy {
  readonly path = mkdtempSync(join(tmpdir(), 'gigvault-copy-'));

  constructor() {
    for (const name of readdirSync(ROOT).filter((entry) => !NOT_COPIED.has(entry))) {
      cpSync(join(ROOT, name), join(this.path, name), { recursive: true });
    }
    symlinkSync(join(ROOT, 'node_modules'), join(this.path, 'node_modules'));
  }

  read(file: string): string {
    return readFileSync(join(this.path, file), 'utf8');
  }

  write(file: string, text: string): void {
    mkdirSync(dirname(join(this.path, file)), { recursive: true });
    writeFileSync(join(this.path, file), text);
  }

  /** Returns the content of each file by its path. */
  files(): Map<string, string> {
    const entries = readdirSync(this.path, { recursive: true, withFileTypes: true });
    const files = entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
    const own = files
      .map((file) => relative(this.path, file))
      .filter((file) => !NOT_COPIED.has(file.split('/')[0] ?? ''));
    return new Map(own.sort().map((file) => [file, this.read(file)]));
  }

  /** Runs a program of the packages, such as `typescript/bin/tsc`, or npm, to its end. */
  run(program: string, args: readonly string[], env: Readonly<Record<string, string>> = {}): Promise<Run> {
    const options = {
      cwd: this.path,
      maxBuffer: 256 * 1024 * 1024,
      env: { PATH: process.env.PATH, HOME: process.env.HOME, ...env },
    };
    const isNpm = program === 'npm';
    const rest = isNpm ? args : [join('node_modules', program), ...args];
    return new Promise((done) => {
      execFile(isNpm ? 'npm' : process.execPath, rest, options, (error, out, err) => {
        done({ code: error ? Number(error.code ?? 1) : 0, output: out + err });
      });
    });
  }

  /** Runs `nest g …`, or `npm run domain` for options of its own. Nest exits with 0 even when it fails: check files. */
  generate(...args: string[]): Promise<Run> {
    const [kind = '', ...rest] = args;
    if (args.includes('--fields')) return this.run('npm', ['run', kind, '--', ...rest]);
    return this.run('@nestjs/cli/bin/nest.js', ['g', ...args]);
  }

  remove(): void {
    rmSync(this.path, { recursive: true, force: true });
  }
}
