import { Conditions } from './conditions';

describe(Conditions.name, () => {
  it('numbers the parameters in order and omits conditions without a value', () => {
    const conditions = new Conditions()
      .add('job_id = $?', 42)
      .add('status = $?', undefined)
      .after('created_at, id', '<', ['timestamptz', 'bigint'], ['2026-01-31 09:30:00+00', 7]);
    const limit = conditions.value(21);

    expect(conditions.where).toBe('WHERE job_id = $1 AND (created_at, id) < ($2::timestamptz, $3::bigint)');
    expect(limit).toBe('$4');
    expect(conditions.values).toEqual([42, '2026-01-31 09:30:00+00', 7, 21]);
  });

  it('compares one value by =, several by ANY, and adds nothing for no value', () => {
    const conditions = new Conditions()
      .anyOf('status', ['draft'])
      .anyOf('type', ['a', 'b'])
      .anyOf('kind', [])
      .anyOf('role', undefined);

    expect(conditions.where).toBe('WHERE status = $1 AND type = ANY ($2)');
    expect(conditions.values).toEqual(['draft', ['a', 'b']]);
  });

  it('accepts repeated placeholders and conditions without a value', () => {
    const conditions = new Conditions().add('low <= $? AND high >= $?', 5).always('NOT is_read');

    expect(conditions.where).toBe('WHERE low <= $1 AND high >= $1 AND NOT is_read');
    expect(conditions.values).toEqual([5]);
  });

  it('returns an empty clause without conditions', () => {
    expect(new Conditions().add('x = $?', undefined).after('id', '<', ['bigint'], undefined).where).toBe('');
  });
});
