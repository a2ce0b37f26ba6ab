import { createSignedInCaller, type SignedInCaller } from '../support/accounts';
import { buildJob } from '../support/factories/job.factory';
import { startApp, type TestApp } from '../support/test-app';

interface Change {
  readonly id: number;
  readonly at: string;
  readonly action: string;
}

describe('GET /v1/audit/:table/:recordId?at', () => {
  let app: TestApp;
  let ann: SignedInCaller;
  let bob: SignedInCaller;

  beforeAll(async () => {
    app = await startApp();
  });
  beforeEach(async () => {
    [ann, bob] = await Promise.all([createSignedInCaller(app), createSignedInCaller(app)]);
  });
  afterAll(() => app.close());

  const createTemplate = async (): Promise<{ id: number; changes: Change[] }> => {
    const { id } = (await ann.post('/v1/templates', { name: 'Short', type: 'proposal', body: 'Dear client' })).body;
    await ann.patch(`/v1/templates/${id}`, { body: 'Hello' });
    await ann.patch(`/v1/templates/${id}`, { name: 'Long' });
    await ann.delete(`/v1/templates/${id}`);
    const { body } = await ann.get<{ items: Change[] }>(`/v1/audit/templates/${id}`);
    return { id, changes: [...body.items].reverse() };
  };

  it('shows the record after each of its changes', async () => {
    const { id, changes } = await createTemplate();
    // Changes within one millisecond have one version.
    const stamps = new Map(changes.map((change) => [change.at, change]));

    for (const [at, change] of stamps) {
      const { status, body } = await ann.get(`/v1/audit/templates/${id}?at=${at}`);

      expect(status).toBe(200);
      const place = changes.indexOf(change);
      expect(body).toEqual({
        table: 'templates',
        recordId: id,
        at,
        exists: place < 3,
        auditId: change.id,
        isComplete: true,
        isErased: false,
        fields:
          place === 3
            ? {}
            : {
                name: place === 2 ? 'Long' : 'Short',
                type: 'proposal',
                body: place === 0 ? 'Dear client' : 'Hello',
                createdAt: expect.stringMatching(/Z$/),
              },
      });
    }
  });

  it('shows that the record did not exist before its creation', async () => {
    const { id } = await createTemplate();

    const { body } = await ann.get(`/v1/audit/templates/${id}?at=2001-01-01T00:00:00Z`);

    expect(body).toMatchObject({ exists: false, auditId: null, isComplete: true, fields: {} });
  });

  it('shows money with two places', async () => {
    const { id } = (await ann.post('/v1/jobs', buildJob({ budgetMin: '100', budgetMax: '200.5' }))).body;

    const { body } = await ann.get(`/v1/audit/jobs/${id}?at=2199-01-01T00:00:00Z`);

    expect(body.fields).toMatchObject({ budgetMin: '100.00', budgetMax: '200.50', isFavorite: false });
    expect(body.fields).not.toHaveProperty('sourceKey');
  });

  it('shows secrets as redacted', async () => {
    const { body } = await ann.get(`/v1/audit/users/${ann.id}?at=2199-01-01T00:00:00Z`);

    expect(body.fields).toMatchObject({ encryptedPassword: '[redacted]' });
  });

  it('says that values were erased', async () => {
    const { id } = (await ann.post('/v1/templates', { name: 'Short', type: 'proposal', body: 'Dear client' })).body;
    await app.db.query(
      'superuser',
      `UPDATE audit_logs a SET values_hash = audit.values_hash(a), new_values = NULL, old_values = NULL
       WHERE table_name = 'templates' AND record_id = $1`,
      [id],
    );
    await ann.patch(`/v1/templates/${id}`, { name: 'Long' });

    const { body } = await ann.get(`/v1/audit/templates/${id}?at=2199-01-01T00:00:00Z`);

    expect(body).toMatchObject({ exists: true, isErased: true, isComplete: true, fields: { name: 'Long' } });
  });

  it('says that the log no longer has the creation', async () => {
    const { id, changes } = await createTemplate();
    await app.db.query('superuser', `DELETE FROM audit_logs WHERE id = $1`, [changes[0]!.id]);

    const before = await ann.get(`/v1/audit/templates/${id}?at=2001-01-01T00:00:00Z`);
    const after = await ann.get(`/v1/audit/templates/${id}?at=${changes[2]!.at}`);

    expect(before.body).toMatchObject({ exists: true, auditId: null, isComplete: false, fields: {} });
    expect(after.body.isComplete).toBe(after.body.auditId === changes[3]!.id);
  });

  it('answers 404 for the record of another user and for an unknown one', async () => {
    const { id } = await createTemplate();

    const answers = await Promise.all([
      bob.get(`/v1/audit/templates/${id}?at=2199-01-01T00:00:00Z`),
      ann.get('/v1/audit/templates/999999999?at=2199-01-01T00:00:00Z'),
    ]);

    expect(answers.map(({ status, body }) => [status, body.code])).toEqual(answers.map(() => [404, 'audit.not_found']));
  });

  it('names a malformed time', async () => {
    const { status, body } = await ann.get('/v1/audit/templates/1?at=yesterday');

    expect([status, body.errors[0].pointer]).toEqual([400, '/at']);
  });
});
