import { readFileSync } from 'node:fs';
import { parse } from 'csv-parse/sync';
import { Client } from 'pg';
import { SAMPLE_LISTING } from '../../../src/demo/demo-scenario';
import { pgTypes } from '../../../src/platform/database/driver/direct-connection';
import { withClient } from '../../../src/local-services/database-setup';
import { createStressServices, type StressServices } from '../stress-services';

/** The result of the search scenario; `missed` must be empty. */
export interface SearchResult {
  readonly titles: number;
  readonly skills: number;
  readonly wordsTried: number;
  /** Words that fail to find, or as `-word` fail to exclude, a text that contains them; at most 50. */
  readonly missed: readonly string[];
  readonly missedCount: number;
}

/** The texts of a listing without duplicates. */
interface Listing {
  readonly titles: readonly string[];
  readonly skills: readonly string[];
}

/** A run of letters, digits, + and # that contains a letter or digit. */
const WORD = /[\p{L}\p{M}\p{Nd}+#]*[\p{L}\p{Nd}][\p{L}\p{M}\p{Nd}+#]*/gu;

/** A whole token such as `React/Node.js`, without surrounding punctuation. */
const TOKEN = /[\p{L}\p{Nd}][^\s"]*[\p{L}\p{Nd}+#]/gu;

/**
 * Stores each title and each skill of a listing as a job, and searches for each of its words: `word` must find the job
 * and `-word` must exclude it.
 */
export async function stressSearch(csv = SAMPLE_LISTING): Promise<SearchResult> {
  const listing = readListing(csv);
  const services = createStressServices();
  await services.start();
  try {
    const tenant = await store(services.buildUrl('superuser'), listing);
    return await searchAll(services, tenant, listing);
  } finally {
    await services.stop();
  }
}

/** Returns the listing named by `--file` in the command, or undefined. */
export function readListingArgument(args: readonly string[]): string | undefined {
  const place = args.indexOf('--file');
  if (place === -1) return undefined;
  const file = args[place + 1];
  if (file === undefined) throw new Error('--file needs the path of a listing.');
  return readFileSync(file, 'utf8');
}

/** Returns the distinct words of a text in lower case. */
export function splitWords(text: string): string[] {
  const small = text.toLowerCase();
  return [...new Set([...(small.match(WORD) ?? []), ...(small.match(TOKEN) ?? [])])];
}

function readListing(csv: string): Listing {
  const rows = parse<Record<string, string>>(csv, {
    columns: true,
    bom: true,
    relax_column_count: true,
    skip_empty_lines: true,
  });
  const titles = rows.map((row) => row['Job Title'] ?? row.title ?? '');
  const skills = rows.flatMap((row) => (row.Skills ?? row.skills ?? '').split(','));
  return { titles: unique(titles), skills: unique(skills) };
}

function unique(texts: readonly string[]): string[] {
  return [...new Set(texts.map((text) => text.trim()))].filter((text) => text !== '');
}

async function store(url: string, { titles, skills }: Listing): Promise<number> {
  const client = new Client({ connectionString: url, types: pgTypes });
  await client.connect();
  try {
    const { rows } = await client.query<{ id: number }>(
      `INSERT INTO users (email, encrypted_password) VALUES ('search@example.com', 'none') RETURNING id`,
    );
    const tenant = rows[0]!.id;
    await client.query(
      `INSERT INTO jobs (user_id, source_key, title, skills)
       SELECT $1::bigint, 'upwork:title ' || n, text, '{}'::text[]
       FROM unnest($2::text[]) WITH ORDINALITY AS titles (text, n)
       UNION ALL SELECT $1::bigint, 'upwork:skill ' || n, '-', ARRAY[text]
       FROM unnest($3::text[]) WITH ORDINALITY AS skills (text, n)`,
      [tenant, titles, skills],
    );
    await client.query('ANALYZE jobs');
    return tenant;
  } finally {
    await client.end();
  }
}

async function searchAll(services: StressServices, tenant: number, { titles, skills }: Listing): Promise<SearchResult> {
  const places = indexWords([
    ...titles.map((text, n) => [`upwork:title ${n + 1}`, text]),
    ...skills.map((text, n) => [`upwork:skill ${n + 1}`, text]),
  ]);
  const missed: string[] = [];
  await withClient(services.buildUrl('app'), async (client) => {
    for (const [word, keys] of places) {
      await client.query(`SELECT set_config('app.context', $1, false)`, [services.signer.sign([String(tenant)])]);
      const found = await countMatches(client, word, keys);
      const left = await countMatches(client, `-${word}`, keys);
      if (found !== keys.length || left !== 0)
        missed.push(`${word}: finds ${found} of ${keys.length}, -${word} leaves ${left}`);
    }
  });
  return {
    titles: titles.length,
    skills: skills.length,
    wordsTried: places.size,
    missed: missed.slice(0, 50),
    missedCount: missed.length,
  };
}

/** Returns the source keys of the texts that contain each word. */
function indexWords(texts: readonly (readonly string[])[]): Map<string, string[]> {
  const places = new Map<string, string[]>();
  for (const [key = '', text = ''] of texts) {
    for (const word of splitWords(text)) places.set(word, [...(places.get(word) ?? []), key]);
  }
  return places;
}

async function countMatches(client: Client, question: string, keys: readonly string[]): Promise<number> {
  const { rows } = await client.query<{ count: string }>(
    `SELECT count(*)::text AS count FROM jobs
     WHERE search @@ (SELECT app.search_query($1)) AND source_key = ANY ($2)`,
    [question, keys],
  );
  return Number(rows[0]!.count);
}
