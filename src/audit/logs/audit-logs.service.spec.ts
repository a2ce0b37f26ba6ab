import { type AuditedColumn, diffFields } from './audit-logs.service';

const COLUMNS: Record<string, AuditedColumn> = {
  bid_amount: { field: 'bidAmount', kind: 'money', decimalPlaces: 2 },
  submitted_at: { field: 'submittedAt', kind: 'instant', decimalPlaces: 0 },
  cover_letter: { field: 'coverLetter', kind: 'plain', decimalPlaces: 0 },
};

describe(diffFields.name, () => {
  const diff = (before: Record<string, unknown> | null, after: Record<string, unknown> | null) =>
    diffFields(before, after, (column) => COLUMNS[column]);

  it('shows values with the names and formats of the API', () => {
    const changes = diff(
      { bid_amount: 40, submitted_at: null, cover_letter: 'a' },
      { bid_amount: 45.5, submitted_at: '2026-01-31T09:30:00.123456+00:00', cover_letter: 'b' },
    );

    expect(changes).toEqual({
      bidAmount: { old: '40.00', new: '45.50' },
      submittedAt: { old: null, new: '2026-01-31T09:30:00.123Z' },
      coverLetter: { old: 'a', new: 'b' },
    });
  });

  it('shows an insert without empty fields, id and owner', () => {
    const changes = diff(null, { id: 7, user_id: 1, cover_letter: null, bid_amount: 0 });

    expect(changes).toEqual({ bidAmount: { old: null, new: '0.00' } });
  });

  it('derives unknown columns from their names and keeps redacted values', () => {
    const changes = diff(
      { last_login_at: '[redacted]', first_name: 'A' },
      { last_login_at: '2026-01-31T09:30:00+00:00', first_name: 'B' },
    );

    expect(changes).toEqual({
      lastLoginAt: { old: '[redacted]', new: '2026-01-31T09:30:00.000Z' },
      firstName: { old: 'A', new: 'B' },
    });
  });
});
