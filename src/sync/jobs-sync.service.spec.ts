import type { UpworkJob } from '../upwork/documents/jobs.documents';
import { toJobRow } from './jobs-sync.service';

const usd = (rawValue: string): UpworkJob['amount'] => ({ rawValue, currency: 'USD' });
const buildJob = (fields: Partial<UpworkJob>): UpworkJob => ({ id: '1', title: 'A', ...fields });

describe(toJobRow.name, () => {
  it.each<[string, Partial<UpworkJob>, object]>([
    [
      'a range',
      { hourlyBudgetMin: usd('40'), hourlyBudgetMax: usd('60'), amount: usd('0.0') },
      { jobType: 'hourly', hourlyRateMin: '40.00', hourlyRateMax: '60.00', budgetMin: null },
    ],
    [
      'a lower rate alone',
      { hourlyBudgetMin: usd('40'), hourlyBudgetMax: null, amount: usd('120') },
      { jobType: 'hourly', hourlyRateMin: '40.00', hourlyRateMax: null, budgetMin: null },
    ],
    [
      'an upper rate alone',
      { hourlyBudgetMin: null, hourlyBudgetMax: usd('30') },
      { jobType: 'hourly', hourlyRateMin: null, hourlyRateMax: '30.00' },
    ],
    [
      'hours a week and no amount',
      { amount: usd('0.0'), engagement: '30+ hrs/week' },
      { jobType: 'hourly', budgetMin: null, hourlyRateMin: null, workload: '30+ hrs/week' },
    ],
    [
      'rates of zero and a price',
      { hourlyBudgetMin: usd('0'), hourlyBudgetMax: usd('0'), amount: usd('120') },
      { jobType: 'fixed', budgetMin: '120.00', budgetMax: '120.00' },
    ],
    [
      'a kind of hourly budget and no rates',
      { hourlyBudgetType: 'NOT_PROVIDED', amount: usd('0.0') },
      { jobType: 'hourly', budgetMin: null, hourlyRateMin: null },
    ],
    ['no amount at all', { hourlyBudgetType: null, amount: usd('0.0') }, { jobType: 'fixed', budgetMin: null }],
    ['nothing', {}, { jobType: null, budgetMin: null, hourlyRateMin: null }],
  ])('finds the job type of a job with %s', (_, fields, expected) => {
    expect(toJobRow(buildJob(fields))).toMatchObject(expected);
  });

  it.each<[string, Partial<UpworkJob>, 'fixed' | 'hourly', 'fixed' | 'hourly']>([
    ['nothing', {}, 'hourly', 'hourly'],
    ['nothing', {}, 'fixed', 'fixed'],
    ['no kind of hourly budget', { hourlyBudgetType: null }, 'hourly', 'hourly'],
    ['hours a week', { engagement: '30+ hrs/week' }, 'fixed', 'hourly'],
    ['a price', { amount: usd('120') }, 'hourly', 'fixed'],
  ])('takes the type of the search for a job with %s, unless the job says it', (_, fields, searched, jobType) => {
    expect(toJobRow(buildJob(fields), searched)).toMatchObject({ jobType });
  });

  it('omits skills without a name, and takes the technical name of one without another', () => {
    const skills = [
      { name: 'sql', prettyName: '' },
      { name: ' ', prettyName: ' ' },
      null,
      { name: 'a', prettyName: 'A' },
    ];

    expect(toJobRow(buildJob({ skills }))).toMatchObject({ skills: ['sql', 'A'] });
  });
});
