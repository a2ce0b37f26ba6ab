import { spawn, type ChildProcess } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { signUp } from '../../../src/demo/account';
import { withClient } from '../../../src/launcher/bootstrap';
import { freePort } from '../../../src/launcher/free-port';
import type { Services } from '../../../src/launcher/services-file';
import { startFakeVendors, type FakeVendors } from '../../fakes/fake-vendors';
import { Caller } from '../../support/caller';
import { Installation } from '../installation';

const ROOT = resolve(__dirname, '..', '..', '..');

/** No proof but that of the budget may run into one. */
const CEILINGS = { AI_DAILY_CEILING_USD: '100000.00', AI_MONTHLY_CEILING_USD: '1000000.00' };

/** A whole installation that takes the fake for its AI vendors, with API processes beside the launcher's. */
export class AiInstallation {
  private readonly beside: ChildProcess[] = [];

  private constructor(
    private readonly installation: Installation,
    readonly services: Services,
    readonly fake: FakeVendors,
  ) {}

  /** Starts everything. */
  static async start(): Promise<AiInstallation> {
    const fake = await startFakeVendors();
    const installation = new Installation({ ...fake.settings, ...CEILINGS });
    return new AiInstallation(installation, await installation.start(), fake);
  }

  /** A new user, signed in. */
  async user(): Promise<Caller> {
    const { credentials } = await signUp(this.services.api);
    const { body } = await new Caller(this.services.api).post<{ accessToken: string }>('/v1/auth/login', {
      email: credentials.email,
      password: credentials.password,
    });
    return new Caller(this.services.api, body.accessToken);
  }

  /** Another API process on the same database and Redis, as a second machine would be. */
  async process(): Promise<{ url: string; pid: number }> {
    const environment = readFileSync(`/proc/${this.services.pids.api}/environ`, 'utf8').split('\0');
    const port = await freePort();
    const env = Object.fromEntries(environment.filter((pair) => pair !== '').map((pair) => [pair.slice(0, pair.indexOf('=')), pair.slice(pair.indexOf('=') + 1)]));
    const child = spawn(process.execPath, ['dist/src/main.js'], { cwd: ROOT, env: { ...env, PORT: String(port) }, stdio: 'ignore' });
    this.beside.push(child);
    const url = `http://127.0.0.1:${port}`;
    while (!(await fetch(`${url}/health/ready`).then(({ ok }) => ok, () => false))) await sleep(50);
    return { url, pid: child.pid! };
  }

  /** Asks the database as its superuser. */
  query<Row>(sql: string, values: unknown[] = []): Promise<Row[]> {
    return withClient(this.services.postgres!.superuser, async (client) => (await client.query(sql, values)).rows as Row[]);
  }

  /** Stops everything and removes the data. */
  async remove(): Promise<void> {
    for (const child of this.beside) if (child.exitCode === null && child.signalCode === null) child.kill('SIGKILL');
    await this.installation.remove();
    await this.fake.close();
  }
}
