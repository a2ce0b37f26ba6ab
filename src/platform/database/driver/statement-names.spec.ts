import { isWriting } from './statement-names';

describe(isWriting.name, () => {
  it.each([
    'INSERT INTO jobs (title) VALUES ($1)',
    '\n  UPDATE jobs SET title = $1',
    'delete from jobs WHERE id = $1',
    'WITH done AS (UPDATE messages SET is_read = true RETURNING id) SELECT count(*) FROM done',
    'SELECT id FROM jobs WHERE id = $1 FOR UPDATE; UPDATE jobs SET title = $2',
  ])('finds that %j writes', (text) => expect(isWriting(text)).toBe(true));

  it.each([
    'SELECT updated_at, is_deleted FROM jobs',
    'SELECT id FROM jobs WHERE id = $1 FOR UPDATE',
    'SELECT id FROM jobs WHERE id = $1 FOR NO KEY UPDATE SKIP LOCKED',
    'SELECT set_config($1, $2, true)',
  ])('finds that %j does not write', (text) => expect(isWriting(text)).toBe(false));
});
