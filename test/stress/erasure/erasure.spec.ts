import { assertErased, stressErasure } from './erasure';

describe(stressErasure.name, () => {
  it('leaves a text of an erased user in the data files only', async () => {
    const result = await stressErasure({ imports: 5 });

    expect(result.erasedJobs).toBe(50);
    expect(result.before).toEqual(expect.arrayContaining(['write-ahead log', 'data files', 'files of Redis']));
    expect(assertErased(result)).toBe(result);
  });
});
