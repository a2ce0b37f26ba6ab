import { readFileSync } from 'node:fs';
import type axe from 'axe-core';
import type { Page } from 'playwright-core';

/** A rule that a page violates, and where. */
export interface Violation {
  readonly rule: string;
  readonly impact: string | null | undefined;
  readonly elements: readonly string[];
}

/** Runs axe-core in a page. The browser's debugger runs its script, which no Content-Security-Policy blocks. */
export async function findViolations(page: Page): Promise<Violation[]> {
  await page.evaluate(readFileSync(require.resolve('axe-core/axe.min.js'), 'utf8'));
  const { violations } = await page.evaluate(() => (globalThis as unknown as { axe: typeof axe }).axe.run());
  return violations.map(({ id, impact, nodes }) => ({ rule: id, impact, elements: nodes.map(({ html }) => html) }));
}
