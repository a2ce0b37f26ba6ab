import { stressUndo } from './undo';

describe(stressUndo.name, () => {
  it('undoes random requests of parallel users, or says why not and changes nothing', async () => {
    const result = await stressUndo({ users: 3, undoes: 60, importRows: 300 });

    expect(result.findings).toEqual([]);
    expect(result.undone).toBeGreaterThan(10);
    expect(result.refused).toBeGreaterThan(5);
  });
});
