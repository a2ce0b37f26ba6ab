import { buildDataCase } from './fake-case';

const ID = '1991400000000000001';

const CONTRACT_TERMS = {
  contractType: 'HOURLY',
  personsToHire: 1,
  experienceLevel: 'EXPERT',
  fixedPriceContractTerms: null,
  // Numbers, whereas the search returns money.
  hourlyContractTerms: {
    engagementType: 'PART_TIME',
    hourlyBudgetType: 'MANUAL',
    hourlyBudgetMin: 40,
    hourlyBudgetMax: 60,
    engagementDuration: { label: '1 to 3 months', weeks: 9 },
  },
};

const CONTRACTOR_SELECTION = {
  proposalRequirement: {
    coverLetterRequired: true,
    freelancerMilestonesAllowed: null,
    screeningQuestions: [{ question: 'Which database have you made faster, and how much?', sequenceNumber: 1 }],
  },
  qualification: { jobSuccessScore: 90, risingTalent: null, englishProficiency: null, minEarning: null },
  location: null,
};

/** Cases of one job posting in full. */
export const JOB_DETAILS_CASES = {
  'job-details-hourly': buildDataCase(
    { id: ID },
    {
      marketplaceJobPosting: {
        id: ID,
        workFlowState: { status: 'ACTIVE', closeResult: null },
        content: { title: 'Speed up slow PostgreSQL queries', description: 'Our reports take minutes.' },
        contractTerms: CONTRACT_TERMS,
        contractorSelection: CONTRACTOR_SELECTION,
        classification: {
          category: { id: '531770282580668418', preferredLabel: 'Web, Mobile & Software Dev' },
          subCategory: { id: '531770282500000001', preferredLabel: 'Web Development' },
          skills: [{ id: '1031626760000000001', preferredLabel: 'PostgreSQL', prettyName: 'PostgreSQL' }],
        },
        activityStat: {
          jobActivity: {
            lastClientActivity: '2026-11-21T06:00:00+0000',
            invitesSent: 2,
            totalInvitedToInterview: 1,
            totalHired: 0,
            totalOffered: 0,
          },
          applicationsBidStats: { avgRateBid: { rawValue: '47.5', currency: 'USD' } },
        },
        clientCompanyPublic: {
          country: { name: 'Germany' },
          city: 'Hamburg',
          timezone: 'Europe/Berlin',
          paymentVerification: { paymentVerified: true },
        },
        canClientReceiveContractProposal: true,
      },
    },
  ),
};
