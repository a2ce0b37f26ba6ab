import { findContextProblems, type ParameterizedQuery } from './context-check';

const KEY = Buffer.alloc(32, 7);
const NOW = 1_700_000_000_000;

/** Answers as a database that accepts the key and whose clock differs. */
function createQuery(differenceMs: number): ParameterizedQuery {
  return () => Promise.resolve([{ ms: NOW + differenceMs, isAccepted: true }]);
}

describe(findContextProblems.name, () => {
  beforeEach(() => jest.spyOn(Date, 'now').mockReturnValue(NOW));
  afterEach(() => jest.restoreAllMocks());

  it.each([0, 19_000, -19_000])('accepts clocks that differ by %d ms', async (differenceMs) => {
    expect(await findContextProblems(createQuery(differenceMs), KEY)).toEqual([]);
  });

  // A reused signature is up to 6 s old, so from 24 s on PostgreSQL would refuse some reads.
  it.each([24_000, -24_000])('names clocks that differ by %d ms', async (differenceMs) => {
    expect(await findContextProblems(createQuery(differenceMs), KEY)).toEqual([
      'the clocks of server and database differ by 24 s, and a signature allows 20 s: ' +
        'timedatectl set-ntp true on both machines',
    ]);
  });

  it('names a key that the database does not know', async () => {
    const query: ParameterizedQuery = () => Promise.resolve([{ ms: NOW, isAccepted: false }]);

    expect(await findContextProblems(query, KEY)).toEqual([expect.stringContaining('does not know the key')]);
  });
});
