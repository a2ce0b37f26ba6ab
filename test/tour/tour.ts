import '../../src/platform/config/load-config';
import { spawn } from 'node:child_process';
import { chmodSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { findFreePort } from '../../src/local-services/managed-process';
import { findOnPath } from '../../src/local-services/service-programs';
import { ServicesFile } from '../../src/local-services/server-environment';
import { findShellBlocks } from './readme-blocks';
import { pause } from '../support/wait-for';

const ROOT = resolve(__dirname, '..', '..');
const SECTION = 'Five-minute tour';

/** Limit for the whole tour: it would wait endlessly for a server that does not become ready. */
const LIMIT_MS = 10 * 60_000;

/** Wrapper script that calls curl and records its exit code, the response status and the arguments. */
const CURL = `#!/usr/bin/env bash
headers=$(mktemp -p "$TOUR_FOLDER")
"$TOUR_CURL" -D "$headers" "$@"
code=$?
status=$(grep -aoE '^HTTP/[0-9.]+ [0-9]{3}' "$headers" | tail -n 1)
printf '%s %s %s\\n' "$code" "\${status##* }" "$(printf '%q ' "$@")" >> "$TOUR_FOLDER/calls"
exit "$code"
`;

/** Ends the receiver of webhooks, also when a command before its end fails. */
const END_RECEIVER = `trap 'kill "\${RECEIVER:-}" 2> /dev/null || true' EXIT`;

/** The statuses of the dashboard that the tour's webhook could change. */
const STATUSES = ['Runs', 'Webhooks and mail'];

/**
 * Runs `npm run tour`: the shell blocks of README's tour on a separate installation with its own port. Exits with 1
 * when a command fails, a response is 400 or above, or the dashboard warns about deliveries afterwards.
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
      HOOKPORT: String(await findFreePort()),
      GIGVAULT_DATA_DIR: data,
      TOUR_FOLDER: folder,
      TOUR_CURL: curl,
    };
    const blocks = findShellBlocks(readFileSync(join(ROOT, 'README.md'), 'utf8'), SECTION);
    const code = await runScript([END_RECEIVER, ...blocks].join('\n'), environment);
    check(code, blocks.length, readFileSync(join(folder, 'calls'), 'utf8'));
    await checkDashboard(`http://127.0.0.1:${port}`, blocks[0] ?? '');
  } finally {
    await stop(data);
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Runs the script and waits for the shell only: a server in the background keeps the output open. */
function runScript(script: string, env: NodeJS.ProcessEnv): Promise<number | null> {
  const shell = spawn('bash', ['-euo', 'pipefail', '-c', script], {
    cwd: ROOT,
    env,
    stdio: ['ignore', 'inherit', 'inherit'],
    timeout: LIMIT_MS,
  });
  return new Promise((done, fail) => shell.once('error', fail).once('exit', done));
}

/** @throws Error that lists the failed calls, or the exit code of the script */
function check(code: number | null, blocks: number, text: string): void {
  const calls = text
    .trim()
    .split('\n')
    .map((line) => {
      const [, exit = '', status = '', args = ''] = /^(\d+) (\d*) (.*)$/.exec(line) ?? [];
      return { exit, status: Number(status), args };
    });
  // The tour polls readiness until the server runs.
  const failed = calls.filter(
    ({ exit, status, args }) => !args.includes('/health/ready') && (exit !== '0' || status >= 400),
  );
  if (failed.length > 0)
    throw new Error(`These calls failed:\n${failed.map(({ status, args }) => `  ${status} curl ${args}`).join('\n')}`);
  if (code !== 0) throw new Error(`The tour ended with code ${code}.`);
  process.stdout.write(`\nREADME's tour works: ${blocks} blocks, ${calls.length} calls, every response below 400.\n`);
}

/** @throws Error that names the statuses of the dashboard that are not good */
async function checkDashboard(url: string, firstBlock: string): Promise<void> {
  const [, email = '', password = ''] = /EMAIL=(\S+) .*PASSWORD='(.*)'/.exec(firstBlock) ?? [];
  const body = new URLSearchParams({ email, password });
  const { headers } = await fetch(`${url}/admin/sign-in`, { method: 'POST', body, redirect: 'manual' });
  const cookie = headers.get('set-cookie')?.split(';', 1)[0] ?? '';
  const page = await (await fetch(`${url}/admin`, { headers: { cookie } })).text();
  const bad = STATUSES.filter((name) => !new RegExp(`class="status good"[^>]*><span[^>]*><b>${name}</b>`).test(page));
  if (bad.length > 0) throw new Error(`The dashboard is not green after the tour: ${bad.join(', ')}.`);
}

async function stop(data: string): Promise<void> {
  const file = new ServicesFile(join(data, 'services.json'));
  const launcher = existsSync(data) ? file.read()?.pids['launcher'] : undefined;
  if (launcher === undefined) return;
  process.kill(launcher, 'SIGTERM');
  while (file.read()) await pause(100, 'the launcher removes the file at its end');
  removeServicesFolder(data);
}

/** Removes the services' folder of root, which is outside the data folder. */
function removeServicesFolder(data: string): void {
  const { servicesName } = JSON.parse(readFileSync(join(data, 'secrets.json'), 'utf8')) as { servicesName: string };
  if (process.getuid?.() === 0) rmSync(join('/var/lib/gigvault', servicesName), { recursive: true, force: true });
}

main().catch((error: unknown) => {
  process.stderr.write(`\n${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = 1;
});
