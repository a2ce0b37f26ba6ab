import { findMissingSteps, generateJobs, planProposals } from './seed-jobs';
import { SEED_USERS } from './seed-data';

describe(generateJobs.name, () => {
  it('generates the same different jobs each time', () => {
    const jobs = generateJobs(500);

    expect(generateJobs(500)).toEqual(jobs);
    expect(new Set(jobs.map(({ title }) => title)).size).toBe(500);
    expect(new Set(jobs.map(({ upworkJobId }) => upworkJobId)).size).toBe(500);
  });

  it('gives each job a pay of its type, from low to high', () => {
    for (const { jobType, budgetMin, budgetMax, hourlyRateMin, hourlyRateMax } of generateJobs(500)) {
      const [low, high] = jobType === 'fixed' ? [budgetMin, budgetMax] : [hourlyRateMin, hourlyRateMax];
      const [otherLow, otherHigh] = jobType === 'fixed' ? [hourlyRateMin, hourlyRateMax] : [budgetMin, budgetMax];
      expect(Number(low)).toBeGreaterThan(0);
      expect(Number(high)).toBeGreaterThanOrEqual(Number(low));
      expect([otherLow, otherHigh]).toEqual([undefined, undefined]);
    }
  });
});

describe(planProposals.name, () => {
  it('plans every status, for active jobs only', () => {
    const proposals = planProposals(SEED_USERS[0]!, generateJobs(SEED_USERS[0]!.jobs));

    expect(proposals).toHaveLength(SEED_USERS[0]!.proposals);
    expect(new Set(proposals.map(({ status }) => status)).size).toBe(6);
    expect(proposals.every(({ job }) => job.status === 'active')).toBe(true);
  });
});

describe(findMissingSteps.name, () => {
  it.each([
    ['draft', 'archived', ['submit', 'reject', 'archive']],
    ['submitted', 'accepted', ['accept']],
    ['accepted', 'accepted', []],
    ['draft', 'draft', []],
    ['withdrawn', 'accepted', []],
  ] as const)('from %s to %s', (current, planned, steps) => {
    expect(findMissingSteps(current, planned)).toEqual(steps);
  });
});
