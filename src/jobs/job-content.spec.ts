import type { CreateJobDto } from './jobs.dto';
import { toJobContent, buildSourceKey } from './job-content';

const keyOf = (values: Partial<CreateJobDto>): string => buildSourceKey(toJobContent({ title: 'A job', ...values }));

describe(buildSourceKey.name, () => {
  it('returns the Upwork id when there is one', () => {
    expect(keyOf({ upworkJobId: '~1' })).toBe('upwork:~1');
    expect(keyOf({ upworkJobId: '~1', title: 'Another' })).toBe('upwork:~1');
  });

  it('returns otherwise a hash that ignores the order of keys, status and favourite', () => {
    const key = keyOf({ clientInfo: { a: 1, b: { c: [1, 2], d: null } } });

    expect(key).toMatch(/^content:[0-9a-f]{64}$/);
    expect(keyOf({ clientInfo: { b: { d: null, c: [1, 2] }, a: 1 }, isFavorite: true, status: 'archived' })).toBe(key);
  });

  it.each<[string, Partial<CreateJobDto>]>([
    ['title', { title: 'a job' }],
    ['currency', { currency: 'EUR' }],
    ['an amount in another place', { budgetMax: '1.00' }],
    ['the order of skills', { skills: ['b', 'a'] }],
    ['skills that only look alike', { skills: ['a,b'] }],
    ['nested values that only look alike', { clientInfo: { a: [['b', 1]] } }],
    ['an empty object', { clientInfo: {} }],
  ])('differs for %s', (_, values) => {
    const others = [{}, { budgetMin: '1.00' }, { skills: ['a', 'b'] }, { clientInfo: { a: { b: 1 } } }];

    expect(others.map(keyOf)).not.toContain(keyOf(values));
  });
});
