import type { UpworkJob } from '../upwork/documents/jobs.documents';
import { readJobFacts } from './job-facts';

type Client = NonNullable<UpworkJob['client']>;

const NO_FACTS = {
  postedAt: null,
  renewedAt: null,
  clientSpent: null,
  clientSpentCurrency: null,
  clientHires: null,
  clientPostedJobs: null,
  clientRating: null,
  clientReviews: null,
  clientPaymentVerified: null,
  applicants: null,
  freelancersToHire: null,
  isFilled: null,
  alreadyApplied: null,
  premium: null,
  enterprise: null,
  preferredLocations: null,
  locationRequired: null,
};

const buildJob = (fields: Partial<UpworkJob>): UpworkJob => ({ id: '1', title: 'A', ...fields });
const readClient = (client: Partial<Client>) => readJobFacts(buildJob({ client: client }));

describe(readJobFacts.name, () => {
  it('reads all facts', () => {
    const publishedDateTime = new Date('2026-11-20T08:14:02Z');
    const renewedDateTime = new Date('2026-11-21T06:00:00Z');
    const client = {
      totalHires: 12,
      totalPostedJobs: 30,
      totalSpent: { rawValue: '23420.42', currency: 'USD' },
      totalReviews: 9,
      totalFeedback: 4.987654,
      verificationStatus: 'VERIFIED',
    };
    const facts = { totalApplicants: 7, applied: true, premium: false, enterprise: true, freelancersToHire: 2 };
    const places = {
      preferredFreelancerLocation: ['Germany', null, ' '],
      preferredFreelancerLocationMandatory: true,
    };

    expect(readJobFacts(buildJob({ publishedDateTime, renewedDateTime, client, ...facts, ...places }))).toEqual({
      postedAt: publishedDateTime,
      renewedAt: renewedDateTime,
      clientSpent: '23420.42',
      clientSpentCurrency: 'USD',
      clientHires: 12,
      clientPostedJobs: 30,
      clientRating: 4.99,
      clientReviews: 9,
      clientPaymentVerified: true,
      applicants: 7,
      freelancersToHire: 2,
      isFilled: false,
      alreadyApplied: true,
      premium: false,
      enterprise: true,
      preferredLocations: ['Germany'],
      locationRequired: true,
    });
  });

  it('has null for what Upwork does not say', () => {
    expect(readJobFacts(buildJob({}))).toEqual(NO_FACTS);
    expect(readJobFacts(buildJob({ client: null, preferredFreelancerLocation: [] }))).toEqual(NO_FACTS);
  });

  it.each([
    [0, 0, null],
    [4.9, 0, null],
    [0, null, null],
    [4.9, null, 4.9],
    [0, 3, 0],
    [5, 1, 5],
    [5.1, 1, null],
    [-1, 1, null],
    [null, 3, null],
  ])('reads a rating of %p with %p reviews as %p', (totalFeedback, totalReviews, expected) => {
    expect(readClient({ totalFeedback, totalReviews }).clientRating).toBe(expected);
  });

  it.each([
    ['VERIFIED', true],
    ['NOT_VERIFIED', false],
    ['ACTIVE_BUT_NOT_VERIFIED', false],
    ['VERIFICATION_IN_PROGRESS', false],
    ['UNKNOWN', null],
    ['A_NEW_WORD', null],
    [null, null],
  ])('reads the payment method %p as %p', (verificationStatus, expected) => {
    expect(readClient({ verificationStatus }).clientPaymentVerified).toBe(expected);
  });

  it.each([
    ['0.0', 'USD', '0.00', 'USD'],
    [1234.5, 'EUR', '1234.50', 'EUR'],
    ['250000000', 'USD', '99999999.99', 'USD'],
    ['-1', 'USD', null, null],
    ['much', 'USD', null, null],
    ['', 'USD', null, null],
    ['1', null, '1.00', null],
  ])('reads %p %p spent as %p %p', (rawValue, currency, amount, code) => {
    expect(readClient({ totalSpent: { rawValue, currency } })).toMatchObject({
      clientSpent: amount,
      clientSpentCurrency: code,
    });
  });

  it.each([
    [0, 0, true],
    [1, 1, false],
    [2_000_000, 1_000_000, false],
    [-1, null, null],
    [1.5, null, null],
    [null, null, null],
  ])('reads %p freelancers to hire as %p, filled: %p', (freelancersToHire, count, isFilled) => {
    expect(readJobFacts(buildJob({ freelancersToHire }))).toMatchObject({ freelancersToHire: count, isFilled });
  });

  it('keeps at most 50 places of 100 characters', () => {
    const { preferredLocations } = readJobFacts(
      buildJob({ preferredFreelancerLocation: Array.from({ length: 60 }, (_, i) => `${i} ${'ж'.repeat(200)}`) }),
    );

    expect([preferredLocations?.length, preferredLocations?.[9]]).toEqual([50, `9 ${'ж'.repeat(98)}`]);
  });
});
