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

/** The words of one category, from which titles, descriptions and pay are combined. */
export interface JobCategory {
  readonly category: string;
  readonly subcategory: string;
  readonly skills: readonly string[];
  /** Verbs of titles. */
  readonly actions: readonly string[];
  /** Objects of titles. */
  readonly objects: readonly string[];
  /** Sentences about the task. */
  readonly details: readonly string[];
  /** Usual pay of an hour in whole USD, from and to. */
  readonly hourly: readonly [number, number];
}

/** The invented categories; every title is an action, an object and a client. */
export const JOB_CATEGORIES: readonly JobCategory[] = [
  {
    category: 'Web, Mobile & Software Dev',
    subcategory: 'Web Development',
    skills: ['TypeScript', 'React', 'Node.js', 'Next.js', 'CSS', 'REST API', 'Vue.js', 'Tailwind CSS'],
    actions: ['Build', 'Rebuild', 'Extend', 'Fix'],
    objects: ['an online shop', 'a booking page', 'a customer portal', 'a price calculator', 'a member area'],
    details: [
      'The design is ready in Figma, nine screens for phone and desktop.',
      'The current pages need six seconds on a phone; we want less than two.',
      'Payments, invoices and refunds must keep working during the change.',
      'Texts are in three languages and are edited by our own staff.',
    ],
    hourly: [25, 70],
  },
  {
    category: 'Data Science & Analytics',
    subcategory: 'Data Engineering',
    skills: ['PostgreSQL', 'Python', 'SQL', 'dbt', 'Apache Airflow', 'ETL', 'Amazon Redshift', 'Pandas'],
    actions: ['Design', 'Speed up', 'Document', 'Migrate'],
    objects: ['a nightly data pipeline', 'a reporting database', 'a sales warehouse', 'slow monthly reports'],
    details: [
      'About forty million rows arrive each month, partly twice and partly late.',
      'The longest query runs eleven minutes and locks a table that the shop needs.',
      'Each number in the report must be traceable to its source rows.',
      'Everything runs on one PostgreSQL 15 with 64 GB of memory.',
    ],
    hourly: [35, 95],
  },
  {
    category: 'Web, Mobile & Software Dev',
    subcategory: 'Mobile App Development',
    skills: ['Flutter', 'Kotlin', 'Swift', 'React Native', 'Firebase', 'Push Notifications', 'Dart'],
    actions: ['Develop', 'Finish', 'Test', 'Redesign'],
    objects: ['an appointment app', 'a delivery app', 'a training diary', 'an offline checklist app'],
    details: [
      'The first version is in both stores and crashes for one user in fifty.',
      'It must work in a cellar without a network and send its data later.',
      'We have an API and need the screens, the tests and the release.',
      'Our two testers answer within a day.',
    ],
    hourly: [25, 65],
  },
  {
    category: 'Design & Creative',
    subcategory: 'Graphic Design',
    skills: ['Logo Design', 'Adobe Illustrator', 'Figma', 'Brand Identity', 'Print Design', 'Packaging Design'],
    actions: ['Draw', 'Refresh', 'Prepare'],
    objects: ['a logo', 'a set of icons', 'a menu and signs', 'a trade fair stand', 'labels for jars'],
    details: [
      'Please show two directions first; we then refine one together.',
      'It has to be readable at the size of a thumbnail and on a van.',
      'We own the colours and the typeface, everything else is open.',
      'The printer needs files with bleed in two weeks.',
    ],
    hourly: [18, 50],
  },
  {
    category: 'Writing',
    subcategory: 'Technical Writing',
    skills: ['Technical Writing', 'Documentation', 'Editing', 'Proofreading', 'Markdown', 'API Documentation'],
    actions: ['Write', 'Edit', 'Structure'],
    objects: ['a user manual', 'onboarding guides', 'the documentation of an API', 'safety instructions'],
    details: [
      'Our engineers answer questions every afternoon by video.',
      'There are eighty pages of notes, of which about half are outdated.',
      'Readers are technicians who look for one step and do not read chapters.',
      'The text will be translated, so sentences should be short.',
    ],
    hourly: [20, 55],
  },
  {
    category: 'IT & Networking',
    subcategory: 'DevOps & Solution Architecture',
    skills: ['Docker', 'Kubernetes', 'Terraform', 'AWS', 'CI/CD', 'Linux', 'Grafana', 'Ansible'],
    actions: ['Set up', 'Review', 'Automate', 'Move'],
    objects: ['deployments', 'backups and restores', 'the monitoring', 'two servers to the cloud'],
    details: [
      'Releases are copied by hand today, and nobody wants to do it on a Friday.',
      'A restore was never tried; it must be shown once a quarter.',
      'The bill should not grow by more than a third.',
      'We need scripts that our own two developers can maintain.',
    ],
    hourly: [40, 110],
  },
  {
    category: 'Sales & Marketing',
    subcategory: 'Digital Marketing',
    skills: ['SEO', 'Google Ads', 'Email Marketing', 'Copywriting', 'Google Analytics', 'Content Strategy'],
    actions: ['Plan', 'Improve', 'Measure'],
    objects: ['a spring campaign', 'a newsletter', 'the search ranking', 'local advertisements'],
    details: [
      'Four hundred customers read the newsletter, and nobody ever clicks.',
      'We sell within fifty kilometres, so clicks from elsewhere are wasted.',
      'The budget for advertisements is separate from your fee.',
      'A short report each month is enough.',
    ],
    hourly: [15, 60],
  },
  {
    category: 'Translation',
    subcategory: 'Language Localization',
    skills: ['Ukrainian', 'English', 'German', 'Spanish', 'Localization', 'Subtitling', 'Proofreading'],
    actions: ['Translate', 'Check', 'Localize'],
    objects: ['an app', 'product descriptions', 'a short film', 'a contract template', 'course material'],
    details: [
      'There are about nine thousand words and a glossary of two hundred terms.',
      'A native speaker should read the result aloud once.',
      'Names of places follow the spelling of the official register.',
      'Files are in JSON; the placeholders must stay as they are.',
    ],
    hourly: [14, 38],
  },
];

/** The clients of titles: invented businesses without names. */
export const CLIENTS: readonly string[] = [
  'a family bakery',
  'a climbing gym',
  'a veterinary practice',
  'a bicycle workshop',
  'a language school',
  'a small publisher',
  'a solar installer',
  'a city orchestra',
  'a food bank',
  'a coffee roaster',
  'a physiotherapist',
  'a furniture maker',
  'a boat rental',
  'a museum of clocks',
  'a seed merchant',
  'an animal shelter',
  'a repair café',
  'a football club',
  'a wine cooperative',
  'a driving school',
  'a pharmacy group',
  'a carpet importer',
  'a theatre company',
  'a beekeepers’ association',
];

/** Where clients are. */
export const COUNTRIES: readonly string[] = [
  'United States',
  'Germany',
  'Ukraine',
  'Canada',
  'Portugal',
  'India',
  'Australia',
  'Poland',
  'Netherlands',
  'Japan',
];

/** First sentences of descriptions. */
export const OPENINGS: readonly string[] = [
  'We are a team of six and do this for the first time.',
  'Our last freelancer has moved on, and the work is half done.',
  'We know what we want and need somebody who has done it before.',
  'This is a small task with a chance of more.',
];

/** Last sentences of descriptions. */
export const CLOSINGS: readonly string[] = [
  'Please say in two sentences how you would begin.',
  'Tell us about one similar project and what went wrong there.',
  'We decide within a week and answer everyone.',
  'Please mention when you could start.',
];
