import { stressRandomTransactions } from '../stress/audit/random-transactions';

describe(stressRandomTransactions.name, () => {
  it('leaves the audit rows of a model, with savepoints, rollbacks and cascades', async () => {
    const result = await stressRandomTransactions({ transactions: 40, users: 4 });

    expect(result.differences).toEqual([]);
    expect(result.committed + result.rolledBack).toBe(40);
    expect(result.rows).toBeGreaterThan(20);
  });
});
