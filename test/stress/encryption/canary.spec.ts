import { stressCanary } from './canary';

describe(stressCanary.name, () => {
  it('finds no secret sent to any endpoint, and every planted one', async () => {
    const result = await stressCanary();

    if (result.dump !== 'pg_dump') console.warn(`the dump was not searched: ${result.dump}`);
    expect(result.found).toEqual([]);
    expect(result.overlooked).toEqual([]);
    expect(result.secrets).toBeGreaterThan(60);
    // The pair that was stored twice with one key, and the connection that was made.
    expect(result.statuses).toMatchObject({ 201: 3, 422: 1 });
  });
});
