import fc from 'fast-check';
import { createTestDatabase, type TestDatabase } from '../support/test-database';
import { setTenant } from '../support/signed-context';

/** Typical jobs, with invented texts. */
const JOBS: readonly (readonly [title: string, skills?: readonly string[]])[] = [
  ['React/Node.js developer'],
  ['PHP/Laravel back end'],
  ['UI/UX designer'],
  ['Node.js expert'],
  ['Next.js and Vue.js site'],
  ['C++ engine programmer'],
  ['C# desktop developer'],
  ['C developer for firmware'],
  ['日本語のテスト翻訳'],
  ['Two shops', ['Shopify/Liquid', 'Bubble.io']],
  ['e-commerce store with a t-shirt shop'],
  ["Комп'ютерна графіка"],
  ['Café menu translator'],
  ['<WordPress> theme repair'],
  ['ASP.NET/C# API, hosted at example.com/api'],
  ['NodeJS+ReactJS dashboard'],
  ['𝐏𝐲𝐭𝐡𝐨𝐧 scripts™ for ＥＸＣＥＬ'],
  ['CompTIA A+ tutor, C++17 or Objective-C'],
  ['แปลภาษาไทย เป็นอังกฤษ'],
  ['بَرْمَجة مواقع'],
  ['שָׁלוֹם Web\u00ADflow, Type\u200DScript'],
  ['R+SQL reports for PHP-8'],
];

const SEARCHES: readonly (readonly [q: string, titles: readonly string[]])[] = [
  ['react', ['React/Node.js developer', 'NodeJS+ReactJS dashboard']],
  ['node', ['React/Node.js developer', 'Node.js expert', 'NodeJS+ReactJS dashboard']],
  ['node.js', ['React/Node.js developer', 'Node.js expert', 'NodeJS+ReactJS dashboard']],
  ['nodejs', ['React/Node.js developer', 'Node.js expert', 'NodeJS+ReactJS dashboard']],
  ['React/Node.js', ['React/Node.js developer']],
  ['laravel', ['PHP/Laravel back end']],
  ['php laravel', ['PHP/Laravel back end']],
  ['ux', ['UI/UX designer']],
  ['ui designer', ['UI/UX designer']],
  ['next', ['Next.js and Vue.js site']],
  ['shopify', ['Two shops']],
  ['liquid', ['Two shops']],
  ['bubble.io', ['Two shops']],
  ['C#', ['C# desktop developer', 'ASP.NET/C# API, hosted at example.com/api']],
  ['C++', ['C++ engine programmer', 'CompTIA A+ tutor, C++17 or Objective-C']],
  ['C+', []],
  ['r sql', ['R+SQL reports for PHP-8']],
  ['php 8', ['R+SQL reports for PHP-8']],
  ['c++17', ['CompTIA A+ tutor, C++17 or Objective-C']],
  ['C', ['C developer for firmware', 'CompTIA A+ tutor, C++17 or Objective-C']],
  ['a+', ['CompTIA A+ tutor, C++17 or Objective-C']],
  ['.NET', ['ASP.NET/C# API, hosted at example.com/api']],
  ['asp.net', ['ASP.NET/C# API, hosted at example.com/api']],
  ['example', ['ASP.NET/C# API, hosted at example.com/api']],
  ['テスト', ['日本語のテスト翻訳']],
  ['翻訳', ['日本語のテスト翻訳']],
  ['本語', ['日本語のテスト翻訳']],
  ['訳翻', []],
  ['ภาษา', ['แปลภาษาไทย เป็นอังกฤษ']],
  ['برمجة', ['بَرْمَجة مواقع']],
  ['بَرْمَجة', ['بَرْمَجة مواقع']],
  ['שלום', ['שָׁלוֹם Web\u00ADflow, Type\u200DScript']],
  ['webflow typescript', ['שָׁלוֹם Web\u00ADflow, Type\u200DScript']],
  ['C♯ desktop', ['C# desktop developer']],
  ['e-commerce', ['e-commerce store with a t-shirt shop']],
  ['commerce shirt', ['e-commerce store with a t-shirt shop']],
  ['комп’ютерна', ["Комп'ютерна графіка"]],
  ["комп'ютерна", ["Комп'ютерна графіка"]],
  ['КОМПʼЮТЕРНА', ["Комп'ютерна графіка"]],
  ['cafe', ['Café menu translator']],
  ['Cafe\u0301', ['Café menu translator']],
  ['wordpress', ['<WordPress> theme repair']],
  ['python excel', ['𝐏𝐲𝐭𝐡𝐨𝐧 scripts™ for ＥＸＣＥＬ']],
  ['scripts', ['𝐏𝐲𝐭𝐡𝐨𝐧 scripts™ for ＥＸＣＥＬ']],
  // Operators: phrases, or, exclusion, and the same words as plain text.
  ['"engine programmer"', ['C++ engine programmer']],
  ['“engine programmer”', ['C++ engine programmer']],
  ['"programmer engine"', []],
  ['„programmer engine“', []],
  ['laravel or wordpress', ['PHP/Laravel back end', '<WordPress> theme repair']],
  ['laravel OR -developer engine', ['PHP/Laravel back end', 'C++ engine programmer']],
  ['developer -react -c#', ['C developer for firmware']],
  ['developer -"node js" -asp.net -firmware', ['C# desktop developer']],
  ['or', ['CompTIA A+ tutor, C++17 or Objective-C']],
  ['"developer', ['React/Node.js developer', 'C# desktop developer', 'C developer for firmware']],
  ['designer – ui', ['UI/UX designer']],
];

describe('search of jobs', () => {
  let database: TestDatabase;
  let tenant: number;

  beforeAll(async () => {
    database = await createTestDatabase();
    const [user] = await database.query<{ id: number }>(
      'superuser',
      `INSERT INTO users (email, encrypted_password) VALUES ('ann@example.com', 'none') RETURNING id`,
    );
    tenant = user!.id;
    await asTenant(
      `INSERT INTO jobs (source_key, title, skills)
       SELECT 'upwork:' || n, job ->> 0, ARRAY(SELECT jsonb_array_elements_text(coalesce(job -> 1, '[]')))
       FROM jsonb_array_elements($1) WITH ORDINALITY AS jobs (job, n)`,
      [JSON.stringify(JOBS)],
    );
  });
  afterAll(() => database.end());

  function asTenant<Row>(sql: string, values: unknown[] = []): Promise<Row[]> {
    return database.transaction('app', async (client) => {
      await setTenant(client, tenant);
      return (await client.query(sql, values)).rows as Row[];
    });
  }

  const find = async (question: string): Promise<string[]> => {
    const rows = await asTenant<{ title: string }>(
      'SELECT title FROM jobs WHERE search @@ (SELECT app.search_query($1)) ORDER BY id',
      [question],
    );
    return rows.map(({ title }) => title);
  };

  it.each(SEARCHES)('%s', async (question, titles) => {
    expect(await find(question)).toEqual(titles);
  });

  it.each([
    '',
    '   ',
    '-',
    '--',
    '"',
    '""',
    '"-"',
    '-""',
    'or',
    'or or or',
    '- or -',
    '& | ! ( ) : * <-> \\',
    "' '' \\'",
    '-'.repeat(200),
    '"'.repeat(199),
    'a'.repeat(200),
    '-a'.repeat(100),
    '🔥',
    '日'.repeat(200),
    '+++',
    '###',
    'c#'.repeat(100),
  ])('accepts the unusual query %j', async (question) => {
    await expect(find(question)).resolves.toBeInstanceOf(Array);
  });

  it('accepts any text as a query, which finds that text', async () => {
    const piece = fc.constantFrom(
      'Node.js',
      'c#',
      'C++',
      'ui/ux',
      'e-mail',
      '日本',
      'ñandú',
      'İzmir',
      'x_y',
      '3.5',
      '1e5',
      'a@b.co',
      'http://x.io/y?z=1',
      '&amp;',
      '<b>',
      'R&D',
      '™',
      '½',
      '#1',
      '+',
      "O'Neil",
      'straße',
      'or',
      '"',
      '-',
    );
    const glue = fc.constantFrom('', ' ', '/', '.', '-', '_', ':', '+', ', ', '(', '’');
    const texts = fc.array(fc.tuple(piece, glue), { minLength: 1, maxLength: 8 }).map((parts) => parts.flat().join(''));
    const questions = fc.string({ unit: 'grapheme', maxLength: 200 });
    const samples = fc
      .sample(fc.oneof(texts, questions), { numRuns: 400, seed: 16 })
      .map((text) => text.replace(/[\0"“”„]/g, ''));
    // Every query is parsed; except for exclusions and `or`, a text finds itself. One statement covers all cases.
    const rows = await asTenant<{ text: string }>(
      `SELECT text FROM unnest($1::text[]) AS cases (text), LATERAL app.search_query(text) AS question
       WHERE numnode(question) > 0 AND text !~ '(^|\\s)(-|or(\\s|$))'
         AND NOT app.search_document(text, '{}', '') @@ question`,
      [samples],
    );

    expect(rows).toEqual([]);
  });
});
