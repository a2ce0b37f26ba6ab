import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setPriority } from 'node:os';
import { createInterface } from 'node:readline/promises';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { Attacks, type Attack } from './attacks';

/** Lower priority than the API, so that not only the CPU use of the load itself is measured. */
const NICE = 5;

const counts: Record<string, Record<string, number>> = {};

/** Attacks until the scenario says `stop`; prints `ready`, and at the end `report` with the responses by attack. */
async function main(): Promise<void> {
  setPriority(NICE);
  const [port = '', email = '', password = ''] = process.argv.slice(2);
  const receiver = createServer(() => undefined).listen(0, '127.0.0.1');
  await once(receiver, 'listening');
  const deadReceiver = `http://127.0.0.1:${(receiver.address() as AddressInfo).port}/never`;
  const attacks = new Attacks({ port: Number(port), email, password, deadReceiver });
  const status = await attacks.signIn();
  if (status !== 200) throw new Error(`the attacker's sign-in was answered ${status}`);
  const list = attacks.list();
  const lines = createInterface({ input: process.stdin })[Symbol.asyncIterator]();
  console.log('ready');
  await lines.next();
  for (const attack of list) for (let lane = 0; lane < attack.concurrency; lane++) void repeat(attack);
  await lines.next();
  console.log(`report ${JSON.stringify(counts)}`);
  attacks.end();
  process.exit();
}

async function repeat(attack: Attack): Promise<never> {
  const answers = (counts[attack.name] ??= {});
  for (;;) {
    const status = await attack.send();
    answers[status] = (answers[status] ?? 0) + 1;
    await nextTurn();
  }
}

main().catch((error: unknown) => {
  console.error(error);
  process.exit(1);
});
