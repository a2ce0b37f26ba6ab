import { randomUUID } from 'node:crypto';
import { request } from 'node:http';
import { PasswordsService } from '../../src/auth/passwords/passwords.service';
import type { TestApp } from './test-app';
import { createSignedInCaller } from './accounts';

const PASSWORD = 'seven green umbrellas';

/** A response as received. */
export interface RawAnswer {
  readonly status: number;
  readonly body: string;
  readonly location?: string;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
}

/** Creates an account with a password and returns its credentials. */
export async function createAccount(
  app: TestApp,
  role: 'user' | 'admin',
  email = `${randomUUID()}@example.com`,
): Promise<{ id: number; email: string; password: string; sessionId: string }> {
  const { id, email: address, sessionId } = await createSignedInCaller(app, { role, email });
  await app.db.query('superuser', `UPDATE users SET encrypted_password = $2 WHERE email = $1`, [
    address,
    await app.get(PasswordsService).hash(PASSWORD),
  ]);
  return { id, email: address, password: PASSWORD, sessionId };
}

/** Sends a form of a page, as a browser does. */
export function postForm(
  app: TestApp,
  path: string,
  form: Record<string, string>,
  headers: Record<string, string> = {},
): Promise<Response> {
  return fetch(app.url + path, {
    method: 'POST',
    redirect: 'manual',
    body: new URLSearchParams(form),
    headers: { accept: 'text/html', 'sec-fetch-site': 'same-origin', ...headers },
  });
}

/** Signs in to the dashboard and returns the cookie. */
export async function signInToDashboard(
  app: TestApp,
  { email, password }: { email: string; password: string },
): Promise<string> {
  const answer = await postForm(app, '/admin/sign-in', { email, password });
  return answer.headers.get('set-cookie')?.split(';', 1)[0] ?? '';
}

/** Sends an unnormalized path, which fetch would normalize. Leaves a stream after its first output. */
export function rawRequest(
  app: TestApp,
  path: string,
  headers: Record<string, string> = {},
  method = 'GET',
): Promise<RawAnswer> {
  return new Promise((resolve, reject) => {
    const { hostname, port } = new URL(app.url);
    request({ hostname, port, path, method, headers }, (response) => {
      let body = '';
      const done = (): void =>
        resolve({
          status: response.statusCode ?? 0,
          body,
          location: response.headers.location,
          headers: response.headers,
        });
      response.on('data', (chunk: Buffer) => {
        body += chunk.toString();
        if (response.headers['content-type']?.startsWith('text/event-stream') && body.includes('event:'))
          response.destroy();
      });
      response.on('end', done).on('close', done);
    })
      .on('error', reject)
      .end();
  });
}
