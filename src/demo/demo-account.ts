import { randomBytes } from 'node:crypto';
import { DataFolder } from '../local-services/data-folder';
import { readJsonFile, writePrivateFile } from '../local-services/file-permissions';
import { ApiClient, ApiError } from './api-client';
import { Operator } from './operator';

/** The demo's own user on one server; kept in the data folder, so that a second run meets the first one's rows. */
export interface Credentials {
  readonly server: string;
  readonly email: string;
  readonly password: string;
}

/** A signed-in client, what it signed in with, and whether its account was made just now. */
export interface DemoSession {
  readonly api: ApiClient;
  readonly credentials: Credentials;
  readonly isNew: boolean;
}

/** Signs the demo's user in, after signing him up and verifying his address where he is not known yet. */
export async function signInDemoUser(server: string): Promise<DemoSession> {
  const file = credentialsFile();
  const known = readJsonFile<Credentials>(file);
  if (known?.server === server) {
    const api = await signIn(known).catch(ignoreUnauthorized);
    if (api) return { api, credentials: known, isNew: false };
  }
  const signedIn = await signUp(server);
  writePrivateFile(file, `${JSON.stringify(signedIn.credentials)}\n`);
  return { ...signedIn, isNew: true };
}

/** Where the demo keeps its user's password. */
export function credentialsFile(): string {
  return new DataFolder().resolve('demo.json');
}

/** Signs a user up as anybody would: register, follow the mail's link, sign in. */
export async function signUp(server: string): Promise<{ api: ApiClient; credentials: Credentials }> {
  const name = randomBytes(4).toString('hex');
  const credentials = { server, email: `demo-${name}@example.org`, password: randomBytes(18).toString('base64url') };
  const { email, password } = credentials;
  const api = new ApiClient(server);
  await api.post('/v1/auth/register', { email, password, firstName: 'Demo' });
  const emailText = await new Operator(server).findLatestEmail(email);
  const [, token] = /[?&]token=([\w-]+)/.exec(emailText) ?? [];
  if (!token) throw new Error(`the letter to ${email} has no link`);
  await api.post('/v1/auth/verify-email', { token });
  return { api: await signIn(credentials), credentials };
}

async function signIn({ server, email, password }: Credentials): Promise<ApiClient> {
  const api = new ApiClient(server);
  const { accessToken } = await api.post<{ accessToken: string }>('/v1/auth/login', { email, password });
  api.setAccessToken(accessToken);
  return api;
}

/** An account that a fresh database does not know is made anew. */
function ignoreUnauthorized(error: unknown): undefined {
  if (error instanceof ApiError && error.status === 401) return undefined;
  throw error;
}
