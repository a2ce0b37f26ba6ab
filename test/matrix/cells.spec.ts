import { Redis } from 'ioredis';
import { withClient } from '../../src/local-services/database-setup';
import { buildTestUrl, testServices } from '../support/test-services';
import { type Cell, selectCells } from './cells';

describe(selectCells, () => {
  const pairsOf = (cells: Cell[], ...keys: (keyof Cell)[]) =>
    new Set(cells.map((cell) => keys.map((key) => cell[key]).join(' ')));

  it('returns each version once without options', () => {
    const cells = selectCells({});

    expect(cells).toHaveLength(4);
    expect(['node', 'postgres', 'redis'].map((key) => pairsOf(cells, key as keyof Cell).size)).toEqual([4, 4, 4]);
    expect(cells[0]).toEqual({ node: '20.19', postgres: '15', redis: 'redis-7' });
  });

  it('returns each pair of versions once with --all', () => {
    const cells = selectCells({ all: true });

    expect(cells).toHaveLength(16);
    expect(pairsOf(cells, 'node', 'postgres').size).toBe(16);
    expect(pairsOf(cells, 'node', 'redis').size).toBe(16);
    expect(pairsOf(cells, 'postgres', 'redis').size).toBe(16);
  });

  it('returns the cells with the given versions', () => {
    expect(selectCells({ node: '24', postgres: '17', redis: 'valkey-9' })).toEqual([
      { node: '24', postgres: '17', redis: 'valkey-9' },
    ]);
    expect(selectCells({ postgres: '18' }).map(({ node }) => node)).toEqual(['20.19', '22', '24', '26']);
    expect(() => selectCells({ node: '18' })).toThrow('Unknown version 18. Known: 20.19, 22, 24, 26.');
  });
});

describe('a cell of the matrix', () => {
  const cell = process.env['MATRIX_CELL'] === undefined ? undefined : (JSON.parse(process.env['MATRIX_CELL']) as Cell);

  (cell ? it : it.skip)('runs on the versions of its name', async () => {
    const { postgres, redis } = testServices();
    const url = buildTestUrl(postgres, 'superuser', 'postgres', 'postgres');
    const server = await withClient(url, async (client) => (await client.query('SHOW server_version')).rows[0]);
    const client = new Redis(redis);
    const info = await client.info('server').finally(() => client.disconnect());

    expect(`${process.versions.node}.`).toMatch(new RegExp(`^${cell?.node}\\.`));
    expect(server).toEqual({ server_version: expect.stringMatching(new RegExp(`^${cell?.postgres}\\.`)) as string });
    const [name, major] = cell!.redis.split('-') as [string, string];
    expect(info).toMatch(new RegExp(`^${name}_version:${major}\\.`, 'm'));
  });
});
