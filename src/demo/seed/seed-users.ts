/** A user of seed data. The passwords are public, so `npm run seed` refuses production. */
export interface SeedUser {
  readonly email: string;
  readonly password: string;
  readonly firstName: string;
  readonly lastName: string;
  /** Numbers of jobs and proposals. */
  readonly jobs: number;
  readonly proposals: number;
  /** The body of PUT /v1/profile. */
  readonly profile: Readonly<Record<string, unknown>>;
  /** Bodies of POST /v1/saved-searches. */
  readonly searches: readonly { readonly name: string; readonly query: string }[];
  /** URL of the webhook, which also gets the first search's matches. */
  readonly webhookUrl?: string;
}

/** The admin, without rows of their own. */
export const SEED_ADMIN = { email: 'admin@seed.example.org', password: 'seed-admin-password' } as const;

/** Three freelancers with much, some and little data: 500 jobs together. */
export const SEED_USERS: readonly SeedUser[] = [
  {
    email: 'olena@seed.example.org',
    password: 'seed-olena-password',
    firstName: 'Olena',
    lastName: 'Kovalenko',
    jobs: 320,
    proposals: 18,
    profile: {
      headline: 'Database engineer for reports that have become slow',
      overview: 'I find the query, the index and the habit that cost the time, and leave notes that others can follow.',
      skills: ['PostgreSQL', 'SQL', 'Python', 'TypeScript'],
      hourlyRate: '75.00',
      experienceYears: 11,
      pastWins: ['Cut a monthly report from 40 minutes to 50 seconds.', 'Moved 2 TB to a new major without downtime.'],
    },
    searches: [
      { name: 'Databases', query: 'postgresql AND (slow OR performance)' },
      { name: 'Pipelines', query: 'airflow OR dbt' },
    ],
    webhookUrl: 'http://127.0.0.1:9000/gigvault',
  },
  {
    email: 'marco@seed.example.org',
    password: 'seed-marco-password',
    firstName: 'Marco',
    lastName: 'Ferri',
    jobs: 140,
    proposals: 12,
    profile: {
      headline: 'Web developer for small shops',
      overview: 'I build shops that load fast on an old phone.',
      skills: ['TypeScript', 'React', 'Node.js', 'CSS'],
      hourlyRate: '48.00',
      experienceYears: 6,
      pastWins: ['Raised the share of finished orders from 1.9 to 2.8 percent.'],
    },
    searches: [{ name: 'Shops', query: 'shop AND (react OR next.js)' }],
  },
  {
    email: 'priya@seed.example.org',
    password: 'seed-priya-password',
    firstName: 'Priya',
    lastName: 'Nair',
    jobs: 40,
    proposals: 6,
    profile: {
      headline: 'Technical writer and editor',
      overview: 'I write manuals that technicians read while standing on a ladder.',
      skills: ['Technical Writing', 'Editing', 'Markdown'],
      hourlyRate: '42.00',
      experienceYears: 4,
      pastWins: [],
    },
    searches: [{ name: 'Manuals', query: 'manual OR documentation' }],
  },
];

/** Bodies of POST /v1/templates, the same for every user: one of each type. */
export const SEED_TEMPLATES = [
  {
    name: 'Short and warm',
    type: 'cover_letter',
    body: 'Hello, I have done this before: … Here is how I would begin: … I can start on …',
  },
  { name: 'With a plan', type: 'proposal', body: 'What I understood: …\nWhat I would do in week one: …\nPrice: …' },
  { name: 'Follow-up', type: 'message', body: 'Hello again, do you have a question about my proposal?' },
] as const;
