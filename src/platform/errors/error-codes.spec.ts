import { ERROR_CODES } from './error-codes';

describe('ERROR_CODES', () => {
  const entries = Object.entries(ERROR_CODES);

  it.each(entries)('%s has a well-formed name, an error status and texts', (code, { status, title, detail }) => {
    expect(code).toMatch(/^[a-z]+(_[a-z]+)*(\.[a-z]+(_[a-z]+)*)*$/);
    expect(status).toBeGreaterThanOrEqual(400);
    expect(status).toBeLessThan(600);
    expect(title).toMatch(/^[A-Z].*[^.]$/);
    expect(detail).toMatch(/^[A-Z][^<&]*\.$/);
  });

  it('uses 5xx for two codes of the server itself, and for providers', () => {
    const serverErrors = entries.filter(([, { status }]) => status >= 500).map(([code]) => code);

    expect(serverErrors.filter((code) => !/^(ai|token|upwork)\./.test(code))).toEqual([
      'internal',
      'service.unavailable',
    ]);
    expect(serverErrors.filter((code) => /^(token|upwork)\./.test(code))).toEqual([
      'token.refresh_failed',
      'token.refresh_running',
      'upwork.not_configured',
      'upwork.unavailable',
    ]);
    expect(serverErrors.filter((code) => code.startsWith('ai.'))).toEqual([
      'ai.not_configured',
      'ai.model_unavailable',
      'ai.installation_budget_exceeded',
      'ai.generation_failed',
    ]);
  });
});
