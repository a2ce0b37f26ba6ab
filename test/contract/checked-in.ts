import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/**
 * Compares a contract with the one that is checked in beside this file. `npm run contract` (UPDATE_CONTRACTS=1) writes it
 * anew instead; the difference is then in the commit, for its reviewer.
 */
export function expectCheckedIn(file: string, contract: unknown): void {
  const path = join(__dirname, file);
  const text = `${JSON.stringify(contract, null, 2)}\n`;
  if (process.env.UPDATE_CONTRACTS === '1') writeFileSync(path, text);
  expect(JSON.parse(text)).toEqual(JSON.parse(readFileSync(path, 'utf8')));
}
