import { isLocalServer } from './api-client';
import { credentialsFile, type Credentials } from './demo-account';
import type { Terminal } from './terminal';

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
