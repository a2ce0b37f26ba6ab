import { ERROR_CODES } from './error-codes';
import { errorsPage } from './errors-page';

describe('ERROR_CODES', () => {
  const entries = Object.entries(ERROR_CODES);

  it.each(entries)('%s is a stable name of a real error status', (code, { status, title }) => {
    expect(code).toMatch(/^[a-z]+(_[a-z]+)*(\.[a-z]+(_[a-z]+)*)*$/);
    expect(status).toBeGreaterThanOrEqual(400);
    expect(status).toBeLessThan(600);
    expect(title).toMatch(/^[A-Z].*[^.]$/);
  });

  it('blames the server for two things only, and a vendor or provider for those it does not do', () => {
    const blamed = entries.filter(([, { status }]) => status >= 500).map(([code]) => code);

    expect(blamed.filter((code) => !/^(ai|token|upwork)\./.test(code))).toEqual(['internal', 'service.unavailable']);
    expect(blamed.filter((code) => /^(token|upwork)\./.test(code))).toEqual([
      'token.refresh_failed',
      'token.refresh_running',
      'upwork.not_configured',
      'upwork.unavailable',
    ]);
    expect(blamed.filter((code) => code.startsWith('ai.'))).toEqual([
      'ai.not_configured',
      'ai.model_unavailable',
      'ai.installation_budget_exceeded',
      'ai.generation_failed',
    ]);
  });

  it('is told whole on the page that problems link to', () => {
    const page = errorsPage();

    expect(entries.every(([code]) => page.includes(`<tr id="${code}">`))).toBe(true);
  });
});
