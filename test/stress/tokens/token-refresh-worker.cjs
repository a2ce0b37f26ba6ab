'use strict';

/**
 * A worker of the token-refresh scenario, with its schedule, that also refreshes a connection on command: prints
 * `ready`, reads `<user> <connection>`, and prints `done <status or error code>`. It runs the built code, so that
 * twenty start quickly.
 */
const { join } = require('node:path');
const { createInterface } = require('node:readline');
const { NestFactory } = require('@nestjs/core');

const built = (file) => require(join(__dirname, '..', '..', '..', 'dist', 'src', file));
const { runInContext } = built('platform/context/request-context.js');
const { TokenRefreshService } = built('tokens/token-refresh.service.js');
const { WorkerModule } = built('worker.module.js');

async function main() {
  const app = await NestFactory.createApplicationContext(WorkerModule, {
    logger: ['warn', 'error'],
    abortOnError: false,
  });
  const refresher = app.get(TokenRefreshService, { strict: false });
  process.stdout.write('ready\n');
  for await (const line of createInterface({ input: process.stdin })) {
    const [userId, tokenId] = line.split(' ').map(Number);
    const context = {
      requestId: 'stress',
      ip: null,
      userAgent: null,
      operation: 'a stress scenario',
      actorKind: 'task',
      principal: { userId, role: 'user', sessionId: 'task' },
    };
    const outcome = await runInContext(context, () => refresher.refresh(tokenId)).then(
      ({ status }) => status,
      (error) => error.code ?? error.message,
    );
    process.stdout.write(`done ${outcome}\n`);
  }
}

main().catch((error) => {
  process.stderr.write(`${error.stack}\n`);
  process.exit(1);
});
