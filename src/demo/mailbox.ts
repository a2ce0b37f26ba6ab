import 'reflect-metadata';
import { Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { DataFolder } from '../launcher/data-folder';
import { serverEnvironment } from '../launcher/environment';
import { Secrets } from '../launcher/secrets';
import { ServicesFile } from '../launcher/services-file';
import { ConfigModule } from '../platform/config/config.module';
import { runInContext } from '../platform/context/request-context';
import { DatabaseModule } from '../platform/database/database.module';
import { EncryptionModule } from '../platform/encryption/encryption.module';
import { MailModule } from '../platform/mail/mail.module';
import { Outbox } from '../platform/mail/outbox.service';
import { ApiClient } from './api-client';

@Module({ imports: [ConfigModule, DatabaseModule, EncryptionModule, MailModule] })
class MailboxModule {}

/** What the launcher started on this machine; undefined when it does not run. */
export function runningServices(): ReturnType<ServicesFile['read']> {
  return new ServicesFile(new DataFolder().at('services.json')).read();
}

/**
 * The newest letter to an address in the server's local outbox: over HTTP as the admin of GIGVAULT_ADMIN_EMAIL and
 * GIGVAULT_ADMIN_PASSWORD, or, without them, opened with the keys of the installation in the data folder.
 * @throws Error when there is neither an admin nor a data folder, or no letter
 */
export async function newestLetterTo(address: string, api: ApiClient): Promise<string> {
  const { GIGVAULT_ADMIN_EMAIL: email, GIGVAULT_ADMIN_PASSWORD: password } = process.env;
  const letters = email && password ? await readAsAdmin(api, address, { email, password }) : await readLocally(address);
  const [newest] = letters;
  if (!newest) throw new Error(`no letter to ${address} in the outbox; is SMTP_URL set?`);
  return newest.text;
}

async function readAsAdmin(
  api: ApiClient,
  address: string,
  credentials: { email: string; password: string },
): Promise<readonly { text: string }[]> {
  const admin = new ApiClient(api.baseUrl);
  const { accessToken } = await admin.post<{ accessToken: string }>('/v1/auth/login', credentials);
  admin.signInWith(accessToken);
  const { items } = await admin.get<{ items: readonly { text: string }[] }>(
    `/v1/dev/outbox?to=${encodeURIComponent(address)}`,
  );
  return items;
}

async function readLocally(address: string): Promise<readonly { text: string }[]> {
  const services = runningServices();
  if (!services?.postgres) {
    throw new Error('Set GIGVAULT_ADMIN_EMAIL and GIGVAULT_ADMIN_PASSWORD: the verification mail is in the outbox.');
  }
  const folder = new DataFolder();
  const supplies = {
    secrets: Secrets.load(folder.at('secrets.json')),
    dataFolder: folder.path,
    port: undefined,
    postgres: services.postgres,
    redis: services.redis,
  };
  Object.assign(process.env, serverEnvironment(process.env, supplies));
  const app = await NestFactory.createApplicationContext(MailboxModule, { logger: false });
  try {
    // Whoever may read the installation's keys is its admin; he has no account to name.
    const principal = { userId: 0, role: 'admin' as const, sessionId: 'npm run demo' };
    const context = { requestId: 'npm-run-demo', ip: null, userAgent: null, operation: 'npm run demo', principal };
    return await runInContext(context, () => app.get(Outbox).list(address));
  } finally {
    await app.close();
  }
}
