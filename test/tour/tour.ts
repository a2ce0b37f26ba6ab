import '../../src/platform/config/load-config';
import { spawn } from 'node:child_process';
import { chmodSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { findFreePort } from '../../src/local-services/managed-process';
import { findOnPath } from '../../src/local-services/debian-packages';
import { ServicesFile } from '../../src/local-services/server-environment';
import { shellBlocksOf } from './readme-blocks';

const ROOT = resolve(__dirname, '..', '..');
const SECTION = 'Five-minute tour';
const README_ADDRESS = '127.0.0.1:3000';

/** For a server that never gets ready: the tour would ask for it without end. */
const LIMIT_MS = 10 * 60_000;

/** Calls curl and notes its exit code, the status of the answer and the arguments. */
const CURL = `#!/usr/bin/env bash
headers=$(mktemp -p "$TOUR_FOLDER")
"$TOUR_CURL" -D "$headers" "$@"
code=$?
status=$(grep -aoE '^HTTP/[0-9.]+ [0-9]{3}' "$headers" | tail -n 1)
printf '%s %s %s\\n' "$code" "\${status##* }" "$(printf '%q ' "$@")" >> "$TOUR_FOLDER/calls"
exit "$code"
`;

/**
 * Runs `npm run tour`: the shell blocks of README's tour, word for word but for the port, on an installation of its own.
 * Ends with 1 when a line fails or an answer is 400 or above.
 */
async function main(): Promise<void> {
  const curl = findOnPath(['curl']);
  if (curl === undefined) throw new Error('The tour needs curl.');
  const folder = mkdtempSync(join(tmpdir(), 'gigvault-tour-'));
  const data = join(folder, 'data');
  try {
    const port = await findFreePort();
    mkdirSync(join(folder, 'bin'));
    writeFileSync(join(folder, 'bin', 'curl'), CURL);
    chmodSync(join(folder, 'bin', 'curl'), 0o755);
    const environment = {
      ...process.env,
      PATH: `${join(folder, 'bin')}:${process.env['PATH']}`,
      PORT: String(port),
      GIGVAULT_DATA_DIR: data,
      TOUR_FOLDER: folder,
      TOUR_CURL: curl,
    };
    const blocks = shellBlocksOf(readFileSync(join(ROOT, 'README.md'), 'utf8'), SECTION);
    const script = blocks.join('\n').replaceAll(README_ADDRESS, `127.0.0.1:${port}`);
    const code = await runScript(script, environment);
    check(code, blocks.length, readFileSync(join(folder, 'calls'), 'utf8'));
  } finally {
    await stop(data);
    rmSync(folder, { recursive: true, force: true });
  }
}

/** A server in the background keeps the output open, so this waits for the shell alone. */
function runScript(script: string, env: NodeJS.ProcessEnv): Promise<number | null> {
  const shell = spawn('bash', ['-euo', 'pipefail', '-c', script], {
    cwd: ROOT,
    env,
    stdio: ['ignore', 'inherit', 'inherit'],
    timeout: LIMIT_MS,
  });
  return new Promise((done, fail) => shell.once('error', fail).once('exit', done));
}

/** @throws Error that names what README says and does not hold */
function check(code: number | null, blocks: number, text: string): void {
  const calls = text
    .trim()
    .split('\n')
    .map((line) => {
      const [, exit = '', status = '', args = ''] = /^(\d+) (\d*) (.*)$/.exec(line) ?? [];
      return { exit, status: Number(status), args };
    });
  // The tour asks for readiness until there is a server.
  const failed = calls.filter(
    ({ exit, status, args }) => !args.includes('/health/ready') && (exit !== '0' || status >= 400),
  );
  if (failed.length > 0)
    throw new Error(`These calls failed:\n${failed.map(({ status, args }) => `  ${status} curl ${args}`).join('\n')}`);
  if (code !== 0) throw new Error(`The tour ended with code ${code}.`);
  process.stdout.write(`\nREADME's tour holds: ${blocks} blocks, ${calls.length} calls, every answer below 400.\n`);
}

async function stop(data: string): Promise<void> {
  const file = new ServicesFile(join(data, 'services.json'));
  const launcher = existsSync(data) ? file.read()?.pids['launcher'] : undefined;
  if (launcher === undefined) return;
  process.kill(launcher, 'SIGTERM');
  while (file.read()) await sleep(100);
  removeServicesFolder(data);
}

/** Root's services keep their data outside of the data folder. */
function removeServicesFolder(data: string): void {
  const { servicesName } = JSON.parse(readFileSync(join(data, 'secrets.json'), 'utf8')) as { servicesName: string };
  if (process.getuid?.() === 0) rmSync(join('/var/lib/gigvault', servicesName), { recursive: true, force: true });
}

main().catch((error: unknown) => {
  process.stderr.write(`\n${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = 1;
});
