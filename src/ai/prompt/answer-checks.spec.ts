import { checkAnswer, type CheckSources } from './answer-checks';

const SOURCES: CheckSources = {
  profile: {
    headline: 'PostgreSQL engineer',
    overview: null,
    skills: ['PostgreSQL', 'SQL'],
    hourlyRate: '60.00',
    currency: 'USD',
    experienceYears: 12,
    pastWins: ['Cut a report by 95 % for 3 clients.'],
  },
  job: {
    title: 'Faster reports',
    description: 'We have 40 users.',
    skills: ['PostgreSQL', 'Kubernetes', 'C++'],
    questions: [],
  },
  userText: 'I once led 7 projects.',
};

function listFindings(text: string): string[] {
  return checkAnswer(text, SOURCES).map(({ code, excerpt }) => `${code}: ${excerpt}`);
}

describe(checkAnswer.name, () => {
  it('finds nothing in a cover letter whose claims are in the profile, the job or the instructions', () => {
    expect(
      listFindings(
        'In 12 years with PostgreSQL I cut a report by 95 % for 3 clients. I led 7 projects. ' +
          'Your 40 users will notice. I charge $60/hour.',
      ),
    ).toEqual([]);
  });

  it.each([
    ['Write to me at ann.other@example.com please.', 'contact_details: ann.other@example.com'],
    ['Reach me: ann (at) example (dot) com', 'contact_details: ann (at) example (dot) com'],
    ['Call +49 170 1234567 any time.', 'contact_details: +49 170 1234567'],
    ['My work: https://ann.example/portfolio', 'contact_details: https://ann.example/portfolio'],
    ['We can talk on Telegram as well', 'contact_details: Telegram as well'],
    ['I am @ann_other there.', 'contact_details: @ann_other'],
  ])('finds contact details: %s', (text, finding) => {
    expect(listFindings(text)).toContain(finding);
  });

  it.each([
    ['I bring 20 years of it.', 'claim_beyond_profile: 20 years'],
    ['My rate is $95/hour.', 'claim_beyond_profile: $95/hour'],
    ['I made 250 clients happy.', 'claim_beyond_profile: 250 clients'],
    ['I improved it by 80%.', 'claim_beyond_profile: 80%'],
    ['I have run Kubernetes for long.', 'claim_beyond_profile: Kubernetes'],
    ['I write C++ daily.', 'claim_beyond_profile: C++'],
  ])('finds claims beyond the profile: %s', (text, finding) => {
    expect(listFindings(text)).toEqual([finding]);
  });

  it('accepts a skill of the job that the text ascribes to the client', () => {
    expect(listFindings('You run Kubernetes. That is a good base.')).toEqual([]);
  });
});
