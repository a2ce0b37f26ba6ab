import { declareConstraint, hideQuotedValues, toAppError } from './postgres-errors';

function pgError(code: string, fields: Record<string, string> = {}): Error {
  return Object.assign(new Error('canary: Key (email)=(alice@example.com)'), { severity: 'ERROR', code, ...fields });
}

describe('toAppError', () => {
  it.each([
    ['22001', 'validation.failed', 400],
    ['22003', 'validation.failed', 400],
    ['22021', 'validation.failed', 400],
    ['22P02', 'validation.failed', 400],
    ['22P05', 'validation.failed', 400],
    ['22008', 'validation.failed', 400],
    ['23502', 'validation.failed', 400],
    ['23503', 'conflict.in_use', 409],
    ['23505', 'conflict.duplicate', 409],
    ['23514', 'validation.failed', 400],
    ['40001', 'conflict.concurrent', 409],
    ['40P01', 'conflict.concurrent', 409],
    ['42501', 'auth.forbidden', 403],
    ['25006', 'service.unavailable', 503],
    ['25P03', 'service.unavailable', 503],
    ['53100', 'service.unavailable', 503],
    ['53300', 'service.unavailable', 503],
    ['57014', 'service.unavailable', 503],
    ['57P01', 'service.unavailable', 503],
    ['57P03', 'service.unavailable', 503],
    ['58030', 'service.unavailable', 503],
    ['08006', 'service.unavailable', 503],
    ['08P01', 'service.unavailable', 503],
    ['GV001', 'service.unavailable', 503],
  ])('maps SQLSTATE %s to %s', (state, code, status) => {
    const error = toAppError(pgError(state));

    expect([error?.code, error?.status]).toEqual([code, status]);
    expect(error?.headers).toEqual(status === 503 ? { 'retry-after': '2' } : {});
    expect(`${error?.detail} ${JSON.stringify(error?.errors)}`).not.toContain('alice');
  });

  it('maps the error that TypeORM wraps', () => {
    expect(toAppError(Object.assign(new Error('x'), { driverError: pgError('23505') }))?.code).toBe(
      'conflict.duplicate',
    );
  });

  it('ignores programming errors', () => {
    expect(toAppError(pgError('42703'))).toBeUndefined();
    expect(toAppError(pgError('GV002'))).toBeUndefined();
    expect(toAppError(new TypeError('x'))).toBeUndefined();
    expect(toAppError('x')).toBeUndefined();
  });

  it.each([
    Object.assign(new Error('connect ECONNREFUSED'), { code: 'ECONNREFUSED' }),
    new AggregateError([Object.assign(new Error('x'), { code: 'ECONNREFUSED' })]),
    new Error('timeout exceeded when trying to connect'),
    new Error('timeout expired'),
    new Error('Connection terminated unexpectedly'),
    new Error('Client has encountered a connection error and is not queryable'),
    new Error('Client was closed and is not queryable'),
    new Error('Cannot use a pool after calling end on the pool'),
    Object.assign(new Error('PostgreSQL did not answer within 17000 ms'), { code: 'ETIMEDOUT' }),
  ])('maps a lost connection to 503 with Retry-After: %s', (lost) => {
    expect(toAppError(lost)).toMatchObject({ status: 503, headers: { 'retry-after': '2' } });
  });

  it('maps a declared constraint to its own code and pointer', () => {
    declareConstraint('toys_name_key', { code: 'proposal.wrong_step', pointer: '/name', message: 'taken' });

    expect(toAppError(pgError('23505', { constraint: 'toys_name_key' }))).toMatchObject({
      code: 'proposal.wrong_step',
      errors: [{ pointer: '/name', code: 'proposal_wrong_step', message: 'taken' }],
    });
  });

  it('points to the column that must not be null', () => {
    expect(toAppError(pgError('23502', { column: 'cover_letter' }))?.errors[0]?.pointer).toBe('/coverLetter');
  });
});

describe(hideQuotedValues.name, () => {
  const hide = (code: string, message: string): string => {
    const error = Object.assign(pgError(code), { message });
    hideQuotedValues(error);
    return error.message;
  };

  it.each([
    ['invalid input syntax for type integer: "canary"', 'invalid input syntax for type integer: "…"'],
    ['value "ca"na\nry" is out of range for type integer', 'value "…" is out of range for type integer'],
    ['division by zero', 'division by zero'],
  ])('hides values of a data exception: %s', (message, hidden) => {
    expect(hide('22P02', message)).toBe(hidden);
  });

  it('keeps the names of constraints and tables', () => {
    const message = 'duplicate key value violates unique constraint "jobs_source_key"';
    expect(hide('23505', message)).toBe(message);
  });
});
