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

  it('keeps the keys of stored jobs, which depend on the order of the fields', () => {
    const full: CreateJobDto = {
      title: 'A job',
      description: 'd',
      budgetMin: '1.00',
      budgetMax: '2.00',
      hourlyRateMin: '3.00',
      hourlyRateMax: '4.00',
      currency: 'EUR',
      skills: ['a'],
      category: 'c',
      subcategory: 's',
      country: 'UA',
      clientInfo: { b: 1, a: [2] },
      jobType: 'fixed',
      experienceLevel: 'entry',
      duration: 'x',
      workload: 'w',
    };

    expect([keyOf({}), keyOf(full)]).toEqual([
      'content:a440b7f259eff1c6a0be4da485bece15812494b17ffeabe3819936f31b466727',
      'content:0878365fac00c47a4851b34664656ad8013e0bfe73d1057e88152c605037cc27',
    ]);
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
