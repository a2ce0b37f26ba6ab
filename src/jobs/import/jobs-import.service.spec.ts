import { checkRow } from './import-row';
import { ImportBatch } from './jobs-import.service';

function rowsOf(batch: ImportBatch): unknown[] {
  return JSON.parse(batch.take().json.toString()) as unknown[];
}

describe(ImportBatch.name, () => {
  it('contains each job once, with its last row and the status and favourite of its first', async () => {
    const batch = new ImportBatch();
    for (const row of [
      { upworkJobId: '1', title: 'A', isFavorite: true },
      { upworkJobId: '2', title: 'B' },
      { upworkJobId: '1', title: 'C', clientInfo: { hires: 1, rating: 5 }, status: 'archived' },
      { upworkJobId: '1', title: 'C', clientInfo: { rating: 5, hires: 1 } },
    ]) {
      batch.add(await checkRow(row));
    }

    expect(rowsOf(batch)).toMatchObject([
      { title: 'C', is_favorite: true, status: 'active' },
      { title: 'B', is_favorite: false, status: 'active' },
    ]);
    expect(batch.repeated).toEqual({ updated: 1, unchanged: 1 });
  });

  it('is full by rows, or by bytes for large rows', async () => {
    const small = new ImportBatch();
    const large = new ImportBatch();
    for (let i = 0; !small.isFull; i += 1) small.add(await checkRow({ title: `${i}` }));
    for (let i = 0; !large.isFull; i += 1)
      large.add(await checkRow({ title: `${i}`, description: 'x'.repeat(50_000) }));

    expect(rowsOf(small)).toHaveLength(500);
    expect(rowsOf(large).length).toBeLessThan(50);
  });
});
