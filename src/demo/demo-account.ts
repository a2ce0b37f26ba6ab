import { randomBytes } from 'node:crypto';
import { DataFolder } from '../local-services/data-folder';
import { readDisposableJsonFile, writePrivateFile } from '../local-services/file-permissions';
import { ApiClient, ApiError, isLocalServer } from './api-client';
import { Operator } from './operator';
import type { Terminal } from './terminal';

/** The demo's user on one server; stored in the data folder, so that a second run uses the same rows. */
export interface Credentials {
  readonly server: string;
  readonly email: string;
  readonly password: string;
}

/** A signed-in client, its credentials, and whether the account is new. */
export interface DemoSession {
  readonly api: ApiClient;
  readonly credentials: Credentials;
  readonly isNew: boolean;
}

/** Signs in the demo's user. Registers the user and verifies the address first where needed. */
export async function signInDemoUser(server: string): Promise<DemoSession> {
  const file = credentialsFile();
  const known = readDisposableJsonFile<Credentials>(file);
  if (known?.server === server) {
    const api = await signIn(known).catch(ignoreUnauthorized);
    if (api) return { api, credentials: known, isNew: false };
  }
  const signedIn = await signUp(server);
  writePrivateFile(file, `${JSON.stringify(signedIn.credentials)}\n`);
  return { ...signedIn, isNew: true };
}

/** Returns the path of the file with the demo's credentials. */
export function credentialsFile(): string {
  return new DataFolder().resolve('demo.json');
}

/** Registers a user, follows the link of the verification email, and signs in. */
export async function signUp(server: string): Promise<{ api: ApiClient; credentials: Credentials }> {
  const name = randomBytes(4).toString('hex');
  const credentials = { server, email: `demo-${name}@example.org`, password: randomBytes(18).toString('base64url') };
  const { email, password } = credentials;
  const api = new ApiClient(server);
  await api.post('/v1/auth/register', { email, password, firstName: 'Demo' });
  const emailText = await new Operator(server).findLatestEmail(email);
  const [, token] = /[?&]token=([\w-]+)/.exec(emailText) ?? [];
  if (!token) throw new Error(`The email to ${email} has no link.`);
  await api.post('/v1/auth/verify-email', { token, password });
  return { api: await signIn(credentials), credentials };
}

/** Returns a client with the session of an account. @throws ApiError for a wrong password */
export async function signIn({ server, email, password }: Credentials): Promise<ApiClient> {
  const api = new ApiClient(server);
  const { accessToken } = await api.post<{ accessToken: string }>('/v1/auth/login', { email, password });
  api.setAccessToken(accessToken);
  return api;
}

/** Ignores a 401: a new database does not know the stored account, which is then registered again. */
function ignoreUnauthorized(error: unknown): undefined {
  if (error instanceof ApiError && error.status === 401) return undefined;
  throw error;
}

/**
 * Prints how to see the demo's rows in Swagger UI. For a server on another machine it prints the password's file
 * only.
 */
export function showHowToSignIn(terminal: Terminal, { server, email, password }: Credentials): void {
  const isLocal = isLocalServer(server);
  terminal.printHeading(`See it yourself: ${server}/docs`);
  terminal.printTable(
    [
      ['email', email],
      ['password', isLocal ? password : `in ${credentialsFile()}`],
    ],
    Infinity,
  );
  terminal.printLine(
    'Send both to POST /v1/auth/login with "Try it out", then paste the accessToken of the answer into "Authorize".',
  );
  terminal.printLine('From then on "Execute" shows the rows of this demo.');
}
