import { credentialsFile, type Credentials } from './demo-account';
import type { Terminal } from './terminal';

const LOOPBACK = new Set(['127.0.0.1', 'localhost', '[::1]']);

/** Prints how to see the demo's rows in Swagger UI. The password of an account on another machine stays in its file. */
export function showHowToSignIn(screen: Terminal, { server, email, password }: Credentials): void {
  const isLocal = LOOPBACK.has(new URL(server).hostname);
  screen.printHeading(`See it yourself: ${server}/docs`);
  screen.printTable(
    [
      ['email', email],
      ['password', isLocal ? password : `in ${credentialsFile()}`],
    ],
    Infinity,
  );
  screen.printLine(
    'Send both to POST /v1/auth/login with "Try it out", then paste the accessToken of the answer into "Authorize".',
  );
  screen.printLine('From then on "Execute" shows the rows of this demo.');
}
