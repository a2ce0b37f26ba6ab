import 'reflect-metadata';
import { Module, type INestApplicationContext } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { AccountsService } from '../auth/accounts/accounts.service';
import { PasswordsService } from '../auth/passwords/passwords.service';
import { DataFolder } from '../local-services/data-folder';
import { buildServerEnvironment, ServicesFile, InstallationSecrets } from '../local-services/server-environment';
import { Config } from '../platform/config/config';
import { ConfigModule } from '../platform/config/config.module';
import { loadConfig, readVariables } from '../platform/config/load-config';
import { runInContext } from '../platform/context/request-context';
import { DatabaseModule } from '../platform/database/database.module';
import { SystemDatabase } from '../platform/database/system-database';
import { EncryptionModule } from '../platform/encryption/encryption.module';
import { MailModule } from '../platform/mail/mail.module';
import { EmailOutboxService } from '../platform/mail/mailer.service';
import { RedisModule } from '../platform/redis/redis.module';
import { ApiClient } from './api-client';

@Module({
  imports: [DatabaseModule, RedisModule, EncryptionModule, MailModule],
  providers: [AccountsService, PasswordsService],
})
class OperatorModule {}

/** Returns the services that the launcher started on this machine; undefined when it does not run. */
export function readRunningServices(): ReturnType<ServicesFile['read']> {
  return new ServicesFile(new DataFolder().resolve('services.json')).read();
}

/**
 * The operator's actions that the demo needs: over HTTP as the admin of GIGVAULT_ADMIN_EMAIL and
 * GIGVAULT_ADMIN_PASSWORD, or without them directly, with the keys of the data folder.
 */
export class Operator {
  /** @param operation the command, for audit rows and reasons */
  constructor(
    private readonly server: string,
    private readonly operation = 'npm run demo',
  ) {}

  /**
   * Returns the text of the newest email to an address in the server's local outbox.
   * @throws Error without an admin and a data folder, or without an email
   */
  async findLatestEmail(address: string): Promise<string> {
    const admin = await this.signIn();
    const emails = admin
      ? (await admin.get<{ items: OutboxEmail[] }>(`/v1/dev/outbox?to=${encodeURIComponent(address)}`)).items
      : await runLocally(this.operation, (app) => app.get(EmailOutboxService).list(address));
    const [newest] = emails;
    if (!newest) throw new Error(`The outbox has no email to ${address}. Is SMTP_URL set?`);
    return newest.text;
  }

  /** Refreshes the statistics now instead of at the next full minute. */
  async refreshStatistics(): Promise<void> {
    const admin = await this.signIn();
    if (admin) await admin.post('/v1/admin/tasks/refresh-job-stats/run', { reason: this.operation });
    else {
      await runLocally(this.operation, (app) =>
        app.get(SystemDatabase).asWorker(this.operation, (unit) => unit.query('SELECT refresh_user_job_stats()')),
      );
    }
  }

  private async signIn(): Promise<ApiClient | undefined> {
    const { GIGVAULT_ADMIN_EMAIL: email, GIGVAULT_ADMIN_PASSWORD: password } = readVariables(process.env);
    if (!email || !password) return undefined;
    const admin = new ApiClient(this.server);
    const { accessToken } = await admin.post<{ accessToken: string }>('/v1/auth/login', { email, password });
    admin.setAccessToken(accessToken);
    return admin;
  }
}

/**
 * Runs `work` with the installation's services in this process, as its operator. Access to the installation's keys
 * makes the caller its admin; there is no account id.
 * @throws Error when this checkout runs no server and has no settings of one
 */
export async function runLocally<T>(operation: string, work: (app: INestApplicationContext) => Promise<T>): Promise<T> {
  const config = {
    module: ConfigModule,
    providers: [{ provide: Config, useValue: loadConfig(buildLocalEnvironment()) }],
  };
  const module = { module: OperatorModule, imports: [config] };
  const app = await NestFactory.createApplicationContext(module, { logger: false });
  try {
    const principal = { userId: 0, role: 'admin' as const, sessionId: operation };
    const requestId = operation.replaceAll(' ', '-');
    return await runInContext({ requestId, ip: null, userAgent: null, operation, principal }, () => work(app));
  } finally {
    await app.close();
  }
}

interface OutboxEmail {
  readonly text: string;
}

function buildLocalEnvironment(): NodeJS.ProcessEnv {
  const services = readRunningServices();
  const env = readVariables(process.env);
  if (!services?.postgres && !env['DATABASE_URL']) {
    throw new Error('Set GIGVAULT_ADMIN_EMAIL and GIGVAULT_ADMIN_PASSWORD: the verification email is in the outbox.');
  }
  const folder = new DataFolder();
  return buildServerEnvironment(env, {
    secrets: InstallationSecrets.load(folder.resolve('secrets.json')),
    dataFolder: folder.path,
    port: undefined,
    postgres: services?.postgres,
    redis: services?.redis,
  });
}
