import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/**
 * Compares a contract with the checked-in one in this folder. `npm run contract` (UPDATE_CONTRACTS=1) rewrites it
 * instead; the reviewer sees the difference in the commit.
 */
export function expectCheckedIn(file: string, contract: unknown): void {
  const path = join(__dirname, file);
  const text = `${JSON.stringify(contract, null, 2)}\n`;
  if (process.env.UPDATE_CONTRACTS === '1') writeFileSync(path, text);
  expect(JSON.parse(text)).toEqual(JSON.parse(readFileSync(path, 'utf8')));
}
