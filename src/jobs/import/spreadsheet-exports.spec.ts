import { BrokenFileError, checkRow, type ImportRow, toRowErrors } from './import-row';
import { readCsv } from './csv-rows';

/** What a program writes into a file. */
interface Dialect {
  readonly separator?: string;
  readonly lineEnd?: string;
  /** Quotes all cells, not only those that need it. */
  readonly quoteAll?: boolean;
  readonly encode?: (text: string) => Buffer;
  readonly before?: string;
}

type Table = readonly (readonly string[])[];

const utf8 = (text: string): Buffer => Buffer.from(text);
const utf8Marked = (text: string): Buffer => Buffer.from(`\uFEFF${text}`);
const utf16le = (text: string): Buffer => Buffer.from(`\uFEFF${text}`, 'utf16le');
const utf16be = (text: string): Buffer => utf16le(text).swap16();
const windows1252 = (text: string): Buffer => Buffer.from(text, 'latin1');
/** Enough of the code page for the Cyrillic letters of these tables. */
const windows1251 = (text: string): Buffer =>
  Buffer.from(
    [...text].map((letter) => (letter >= 'А' && letter <= 'я' ? letter.charCodeAt(0) - 0x350 : letter.charCodeAt(0))),
  );

function fileOf(table: Table, dialect: Dialect = {}): Buffer {
  const { separator = ',', lineEnd = '\r\n', quoteAll = false, encode = utf8, before = '' } = dialect;
  const quoted = (cell: string): string =>
    quoteAll || cell.includes(separator) || /["\r\n]/.test(cell) ? `"${cell.replaceAll('"', '""')}"` : cell;
  return encode(before + table.map((cells) => cells.map(quoted).join(separator) + lineEnd).join(''));
}

/** Pieces of odd sizes: neither a character nor a line end falls on their borders. */
async function* piecesOf(bytes: Buffer): AsyncGenerator<Buffer> {
  for (let at = 0; at < bytes.length; at += 7) yield bytes.subarray(at, at + 7);
}

async function resultOf({ row, value, errors }: ImportRow): Promise<unknown> {
  if (errors) return errors.map(({ pointer, code }) => `${row}${pointer} ${code}`).join();
  try {
    const { content, isFavorite } = await checkRow(value);
    const given = Object.entries({ ...content, isFavorite }).filter(([, field]) => field !== null && field !== false);
    const { currency, skills, ...rest } = Object.fromEntries(given);
    return {
      ...rest,
      ...(currency === 'USD' ? {} : { currency }),
      ...((skills as string[]).length > 0 ? { skills } : {}),
    };
  } catch (error) {
    return toRowErrors(error)
      .map(({ pointer, code }) => `${row}${pointer} ${code}`)
      .join();
  }
}

/** Returns the rows as they would be stored, `row/pointer code` for a rejected row, or the error of a rejected file. */
async function imported(bytes: Buffer): Promise<unknown> {
  const results: unknown[] = [];
  try {
    for await (const row of readCsv(piecesOf(bytes))) results.push(await resultOf(row));
  } catch (error) {
    if (!(error instanceof BrokenFileError)) throw error;
    return results.length === 0 ? error.message : [...results, error.message];
  }
  return results;
}

const HEADER = ['title', 'skills', 'budgetMin', 'isFavorite', 'jobType'];
const ONE = {
  title: 'Magasin, café',
  skills: ['SQL', 'Python'],
  budgetMin: '500.50',
  isFavorite: true,
  jobType: 'fixed',
};
const TWO = { title: 'Two\nlines', budgetMin: '1200.00', jobType: 'hourly' };

/** The same two rows as a program of an English and of a German or Ukrainian locale shows them. */
const ENGLISH: Table = [
  HEADER,
  ['Magasin, café', 'SQL, Python', '500.50', 'TRUE', 'fixed'],
  ['Two\nlines', '', '1,200.00', 'FALSE', 'hourly'],
];
const EUROPEAN: Table = [
  HEADER,
  ['Magasin, café', 'SQL, Python', '500,50', 'TRUE', 'fixed'],
  ['Two\nlines', '', '1.200,00', 'FALSE', 'hourly'],
];

const rows = (...cells: string[][]): Table => [['title', 'budgetMin'], ...cells];
const SAVE = 'Save it as CSV (UTF-8) and send that file.';

describe('an export of a spreadsheet', () => {
  it.each<[string, Table, Dialect]>([
    ['Excel, CSV UTF-8', ENGLISH, { encode: utf8Marked }],
    ['Excel, CSV UTF-8, German', EUROPEAN, { encode: utf8Marked, separator: ';' }],
    ['Excel, Unicode text', ENGLISH, { encode: utf16le, separator: '\t' }],
    ['Excel, Unicode text, German', EUROPEAN, { encode: utf16le, separator: '\t' }],
    ['Excel, with a sep= line', EUROPEAN, { separator: ';', before: 'sep=;\r\n' }],
    ['Excel, with a sep= line of a tab in UTF-16', ENGLISH, { separator: '\t', encode: utf16le, before: 'sep=\t\r\n' }],
    ['Excel, with a quoted sep= line', EUROPEAN, { separator: ';', before: '"sep=;"\r\n', encode: utf8Marked }],
    ['Excel for Mac, old line ends', ENGLISH, { lineEnd: '\r' }],
    ['Excel, blank lines before the header', ENGLISH, { before: '\r\n,,,,\r\n' }],
    ['Excel, German, blank lines before the header', EUROPEAN, { separator: ';', before: '\r\n;;;;\r\n' }],
    ['LibreOffice', ENGLISH, { lineEnd: '\n' }],
    ['LibreOffice, all text quoted', ENGLISH, { lineEnd: '\n', quoteAll: true }],
    ['LibreOffice, semicolons, all text quoted', EUROPEAN, { lineEnd: '\n', quoteAll: true, separator: ';' }],
    ['LibreOffice, separator |', ENGLISH, { lineEnd: '\n', separator: '|' }],
    ['LibreOffice, UTF-16', ENGLISH, { encode: utf16le, lineEnd: '\n' }],
    ['LibreOffice, UTF-16 with the other byte order', EUROPEAN, { encode: utf16be, separator: ';' }],
    ['LibreOffice, a decimal comma in a quoted cell', EUROPEAN, { lineEnd: '\n' }],
    ['Google Sheets, comma', ENGLISH, {}],
    ['Google Sheets, tab', ENGLISH, { separator: '\t' }],
  ])('%s is read', async (_, table, dialect) => {
    expect(await imported(fileOf(table, dialect))).toEqual([ONE, TWO]);
  });

  it.each<[string, Table, unknown[]]>([
    [
      'blank rows and columns',
      [
        ['title', '', 'country', ''],
        ['One', '', 'Malta', ''],
        ['', '', '', ''],
        [' ', '\u00A0', '', ''],
      ],
      [{ title: 'One', country: 'Malta' }],
    ],
    [
      'separators behind the last column',
      [
        ['title', 'country'],
        ['One', 'Malta', '', ''],
        ['Two', '', ''],
      ],
      [{ title: 'One', country: 'Malta' }, { title: 'Two' }],
    ],
    [
      'a value in a column without a name',
      [
        ['', 'title'],
        ['0', 'One'],
        ['', 'Two'],
      ],
      ['1 unnamed_column', { title: 'Two' }],
    ],
    [
      'names as people write them',
      [
        ['Job_Type', ' TITLE ', 'budget min', 'Is-Favorite'],
        ['Hourly', 'One', '5', 'yes'],
      ],
      [{ title: 'One', jobType: 'hourly', budgetMin: '5.00', isFavorite: true }],
    ],
    [
      'booleans of all kinds',
      [
        ['title', 'isFavorite'],
        ...['true', '1', 'Yes', 'FALSE', 'no', '0', 'VIEL', 'maybe'].map((cell) => ['A', cell]),
      ],
      [
        ...Array(3).fill({ title: 'A', isFavorite: true }),
        ...Array(3).fill({ title: 'A' }),
        '7/isFavorite is_boolean',
        '8/isFavorite is_boolean',
      ],
    ],
    [
      'booleans of other languages',
      [
        ['title', 'isFavorite'],
        ...[
          'WAHR',
          'Vrai',
          'ИСТИНА',
          'так',
          'ja',
          '✓',
          '✔️',
          't',
          "'TRUE",
          '\u200BTRUE',
          'FALSCH',
          'ложь',
          'ні',
          '☐',
        ].map((cell) => ['A', cell]),
      ],
      [...Array(10).fill({ title: 'A', isFavorite: true }), ...Array(4).fill({ title: 'A' })],
    ],
    [
      'words of lists as programs write them',
      [
        ['title', 'jobType', 'experienceLevel'],
        ['A', 'FIXED_PRICE', 'entry-level'],
        ['B', 'Fixed\u2011price', 'Entry  Level'],
        ['C', 'Fixed\u00A0Price', 'Expert Level'],
      ],
      [
        { title: 'A', jobType: 'fixed', experienceLevel: 'entry' },
        { title: 'B', jobType: 'fixed', experienceLevel: 'entry' },
        { title: 'C', jobType: 'fixed', experienceLevel: 'expert' },
      ],
    ],
    [
      'ids that became numbers',
      [
        ['upworkJobId', 'title'],
        ...[
          '1,978,700,000,000,000,012',
          '1 978 700 000 000 000 012',
          '1.978.700.000.000.000.000,00',
          '1978700000000000000.5',
          '1.98 E+18',
          '1.98×10^18',
          "'1.98E+18",
          '1.98E＋18',
        ].map((id) => [id, 'A']),
        ['########', 'A'],
      ],
      [...[1, 2, 3, 4, 5, 6, 7, 8].map((row) => `${row}/upworkJobId rounded_number`), '9/upworkJobId formula_error'],
    ],
    [
      'ids that were kept as text',
      [
        ['upworkJobId', 'title'],
        ['="1978700000000000012"', 'A'],
        ["'1978700000000000012", '="00""7"'],
        ['\u200E1978700000000000012', 'C'],
      ],
      [
        { upworkJobId: '1978700000000000012', title: 'A' },
        { upworkJobId: '1978700000000000012', title: '00"7' },
        { upworkJobId: '1978700000000000012', title: 'C' },
      ],
    ],
    [
      'ids that were rounded',
      [
        ['upworkJobId', 'title'],
        ...['1.98E+18', '1,98E+18', '1980000000000000000', '1980123456789012345.0'].map((id) => [id, 'A']),
        ['~021978700000000000001', 'B'],
        ['1978700000000000012', 'C'],
      ],
      [
        ...[1, 2, 3, 4].map((row) => `${row}/upworkJobId rounded_number`),
        { upworkJobId: '~021978700000000000001', title: 'B' },
        { upworkJobId: '1978700000000000012', title: 'C' },
      ],
    ],
    [
      'amounts with signs and groups',
      rows(
        ...['$1,200.00', 'US$ 1,200', '1.200,00', '1 200,00', "1'200.00", '1\u00A0200 USD', '1200'].map((cell) => [
          'A',
          cell,
        ]),
      ),
      Array(7).fill({ title: 'A', budgetMin: '1200.00' }),
    ],
    [
      'amounts as other countries and databases write them',
      [
        ['title', 'budgetMin', 'currency'],
        ['A', '1 234,56 грн.', 'UAH'],
        ['A', 'C$1,234.56', 'CAD'],
        ['A', 'R$ 1.234,56', 'BRL'],
        ['A', '1234.5600', ''],
        ['A', "'1234,56", ''],
        ['A', '\u200E1\u202F234,56', ''],
      ],
      ['UAH', 'CAD', 'BRL', undefined, undefined, undefined].map((currency) => ({
        title: 'A',
        budgetMin: '1234.56',
        ...(currency && { currency }),
      })),
    ],
    [
      'an amount below one',
      rows(['A', '0,500'], ['B', '0.500'], ['C', '0,50']),
      [
        { title: 'A', budgetMin: '0.50' },
        { title: 'B', budgetMin: '0.50' },
        { title: 'C', budgetMin: '0.50' },
      ],
    ],
    [
      'ambiguous and invalid amounts',
      rows(...['1.200', '1E+05', '$5k', '-5', '1,2,3', '500-900', '45992.5E0'].map((cell) => ['A', cell])),
      ['1/budgetMin ambiguous_amount', ...[2, 3, 4, 5, 6, 7].map((row) => `${row}/budgetMin matches`)],
    ],
    [
      'an amount in another currency than its row',
      [
        ['title', 'budgetMin', 'currency'],
        ['A', '€500', ''],
        ['B', '500 €', 'EUR'],
        ['C', '$5', 'cad'],
        ['D', 'GBP 5', 'EUR'],
      ],
      [
        '1/budgetMin currency_mismatch',
        { title: 'B', budgetMin: '500.00', currency: 'EUR' },
        { title: 'C', budgetMin: '5.00', currency: 'CAD' },
        '4/budgetMin currency_mismatch',
      ],
    ],
    [
      'words for nothing',
      [
        ['title', 'budgetMin', 'country', 'isFavorite', 'skills', 'upworkJobId'],
        ...[
          'nan',
          'NaN',
          'NULL',
          'null',
          'N/A',
          '#N/A',
          'None',
          '-',
          '–',
          '#NV',
          '#Н/Д',
          '\\N',
          '(null)',
          'NaT',
          '\u200B',
        ].map((word) => ['A', word, word, word, word, word]),
      ],
      Array(15).fill({ title: 'A' }),
    ],
    [
      'a country that looks like nothing',
      [
        ['title', 'country'],
        ['A', 'NA'],
      ],
      [{ title: 'A', country: 'NA' }],
    ],
    [
      'no title',
      [
        ['title', 'country'],
        ['nan', 'Malta'],
        ['', 'Malta'],
      ],
      ['1/title required', '2/title required'],
    ],
    [
      'errors of formulas',
      [
        ['title', 'country'],
        ['#REF!', ''],
        ['A', '#VALUE!'],
      ],
      ['1/title formula_error', '2/country formula_error'],
    ],
    [
      'errors of formulas in other languages',
      [
        ['title', 'country'],
        ['#WERT!', ''],
        ['#ЗНАЧ!', ''],
        ['A', '#¡REF!'],
        ['A', '#NOM?'],
        ['Err:502', ''],
        ['###', ''],
        ['#hiring now!', ''],
      ],
      [
        '1/title formula_error',
        '2/title formula_error',
        '3/country formula_error',
        '4/country formula_error',
        '5/title formula_error',
        '6/title formula_error',
        { title: '#hiring now!' },
      ],
    ],
    [
      'a header repeated among the rows',
      [
        ['title', 'country'],
        ['A', 'Malta'],
        ['title', 'country'],
        ['B', 'Cyprus'],
      ],
      [
        { title: 'A', country: 'Malta' },
        { title: 'B', country: 'Cyprus' },
      ],
    ],
    [
      'rows of characters without a width',
      [
        ['title', 'country'],
        ['A', 'Malta'],
        ['\u200B', '\uFEFF'],
        ['\u200B', 'Malta'],
      ],
      [{ title: 'A', country: 'Malta' }, '2/title required'],
    ],
    [
      'unnamed columns that its rows do not have',
      [['title', 'country', '', ''], ['A', 'Malta'], ['B', 'Malta', ''], ['C']],
      [{ title: 'A', country: 'Malta' }, { title: 'B', country: 'Malta' }, '3 column_count'],
    ],
    [
      'decorated names',
      [
        ['📌 Title *', 'job–type', 'is‑favorite\u200B', 'budget.min:', 'ＣＯＵＮＴＲＹ'],
        ['A', 'fixed', 'yes', '5', 'Malta'],
      ],
      [{ title: 'A', jobType: 'fixed', isFavorite: true, budgetMin: '5.00', country: 'Malta' }],
    ],
    [
      'formulas as text',
      [
        ['title', 'description'],
        ['=HYPERLINK("http://x")', '@SUM(A1)'],
        ['+1', '-2+3'],
      ],
      [
        { title: '=HYPERLINK("http://x")', description: '@SUM(A1)' },
        { title: '+1', description: '-2+3' },
      ],
    ],
    [
      'typographic quotes and no-break spaces',
      [
        ['title', 'skills'],
        ['“A” ‘b’', '\u00A0SQL,\u00A0C#\u00A0'],
      ],
      [{ title: '“A” ‘b’', skills: ['SQL', 'C#'] }],
    ],
    [
      'skills by semicolons and lines',
      [
        ['title', 'skills'],
        ['A', 'SQL; C#'],
        ['B', 'SQL\nC#'],
        ['C', '["a,b"]'],
      ],
      [
        { title: 'A', skills: ['SQL', 'C#'] },
        { title: 'B', skills: ['SQL', 'C#'] },
        { title: 'C', skills: ['a,b'] },
      ],
    ],
    [
      'skills as other programs list them',
      [
        ['title', 'skills'],
        ...['"SQL","C#"', '{SQL,"C#"}', '• SQL\n• C#', 'SQL | C#', 'SQL\rC#', 'SQL、C#', 'SQL，C#', '"SQL", C#,'].map(
          (cell) => ['A', cell],
        ),
        ['B', '"Writing, Translation",SQL'],
        ['C', '5" display, SQL'],
        ['D', '{}'],
      ],
      [
        ...Array(8).fill({ title: 'A', skills: ['SQL', 'C#'] }),
        { title: 'B', skills: ['Writing, Translation', 'SQL'] },
        { title: 'C', skills: ['5" display', 'SQL'] },
        { title: 'D' },
      ],
    ],
    [
      'a listing without amounts',
      [
        ['job title', 'Hourly/Fixed', 'BUDGET'],
        ['A', 'Hourly', 'N/A'],
        ['B', 'Hourly', 'nan'],
        ['C', 'Fixed price', '-'],
      ],
      [
        { title: 'A', jobType: 'hourly' },
        { title: 'B', jobType: 'hourly' },
        { title: 'C', jobType: 'fixed' },
      ],
    ],
  ])('with %s is read or refused row by row', async (_, table, expected) => {
    expect(await imported(fileOf(table))).toEqual(expected);
  });

  it('takes 1.200 and 1,200 for ambiguous where semicolons or tabs separate', async () => {
    const table = rows(['A', '1.200'], ['B', '1,200']);

    for (const separator of [';', '\t']) {
      expect(await imported(fileOf(table, { separator }))).toEqual([
        '1/budgetMin ambiguous_amount',
        '2/budgetMin ambiguous_amount',
      ]);
    }
  });

  it.each<[string, Buffer, string]>([
    [
      'Excel, plain CSV in windows-1252',
      fileOf(EUROPEAN, { encode: windows1252, separator: ';' }),
      `The file is not UTF-8. ${SAVE}`,
    ],
    [
      'Excel, plain CSV in windows-1251',
      fileOf(rows(['Магазин', '5']), { encode: windows1251 }),
      `The file is not UTF-8. ${SAVE}`,
    ],
    [
      'a header in windows-1251',
      fileOf([['title', 'Назва']], { encode: windows1251 }),
      `The file is not UTF-8. ${SAVE}`,
    ],
    [
      'UTF-16 without its mark',
      Buffer.from('title\r\nA', 'utf16le'),
      `The file is UTF-16 without a byte order mark. ${SAVE}`,
    ],
    [
      'UTF-16 cut in two',
      Buffer.concat([utf16le('title\nA'), Buffer.from([0x3d, 0xd8])]),
      `The file is not valid UTF-16. ${SAVE}`,
    ],
    [
      'an .xlsx or .ods',
      Buffer.from('PK\x03\x04\x14\0\x06\0'),
      `The file is a workbook (.xlsx or .ods) or another ZIP file, not CSV. ${SAVE}`,
    ],
    ['an .xls', Buffer.from('d0cf11e0a1b11ae1', 'hex'), `The file is a workbook (.xls), not CSV. ${SAVE}`],
    ...[
      utf8Marked('<table><tr><td>title').subarray(3),
      utf8Marked('<table>'),
      utf8('\r\n  <html>'),
      utf16le('<table>'),
    ].map((bytes): [string, Buffer, string] => [
      'a table of HTML',
      bytes,
      `The file is an HTML or XML document, not CSV. ${SAVE}`,
    ]),
    ['an array of JSON', utf8('[{"title":"A"}]'), 'The file is JSON, not CSV. Send it as application/json.'],
    [
      'lines of JSON',
      utf8('{"title":"A","skills":[]}\n{"title":"B"}\n'),
      'The file is JSON, not CSV. Send one object a line as application/x-ndjson, or an array as application/json.',
    ],
    ['an archive', utf8('Rar!\x1a\x07\0'), `The file is an archive (.rar), not CSV. ${SAVE}`],
    ['bytes that are no text', utf8('\x09\x08\x08\0\0\x05\x05'), `The file is binary, not CSV. ${SAVE}`],
    [
      'a separator of their own',
      fileOf(ENGLISH, { separator: ':', before: 'sep=:\r\n' }),
      'sep= names ":". Separate the values by a comma, a semicolon, a tab or "|".',
    ],
    ['blank rows alone', utf8('\r\n,,\r\n"",\r\n'), 'The file is empty.'],
  ])('%s is refused with what to do', async (_, bytes, message) => {
    expect(await imported(bytes)).toBe(message);
  });

  it('reads quoted values behind white space', async () => {
    expect(await imported(utf8('"title", "country"\n"A", "Valletta, Malta"\n B,\t"Cyprus"\n'))).toEqual([
      { title: 'A', country: 'Valletta, Malta' },
      { title: 'B', country: 'Cyprus' },
    ]);
    expect(
      await imported(
        fileOf(
          [
            ['title', 'jobType', 'country'],
            ['A', '', 'Malta'],
          ],
          { separator: '\t' },
        ),
      ),
    ).toEqual([{ title: 'A', country: 'Malta' }]);
  });

  it('names the line of a quote that is never closed', async () => {
    const text = 'title,country\n\n"One\n1",Malta\n\nTwo,"Cyprus\nThree,Malta\n';

    expect(await imported(utf8(text))).toEqual([
      { title: 'One\n1', country: 'Malta' },
      'a quote is opened and never closed; the rest was not read (line 6)',
    ]);
    expect(await imported(utf8(`sep=,\n\n${text}`))).toContain(
      'a quote is opened and never closed; the rest was not read (line 8)',
    );
  });

  it.each([
    [
      'titel,type',
      'Unknown column "titel". Did you mean "title"? Unknown column "type". Did you mean "jobType"? Known columns: ',
    ],
    ['title;"a,b,c"', 'Unknown column "a,b,c". Known columns: '],
    ['country', 'The first line names the columns, and "title" must be one. Known columns: '],
    ['title,id', 'The column "id" is read-only. Leave it out. Known columns: '],
    [
      'title,a1,a2,a3,a4,a5',
      'Unknown column "a1". Unknown column "a2". Unknown column "a3". 2 more columns are wrong. Known columns: ',
    ],
    [
      'title:skills',
      'The line "title:skills" is one value. Name its separator or leave out the quotes around the line. ' +
        'Known columns: ',
    ],
    [
      '"title;skills"',
      'The line "title;skills" is one value. Name its separator or leave out the quotes around the line. ' +
        'Known columns: ',
    ],
    [
      'Vacancies of 2026,',
      'No column is known. Remove the lines above the line that names the columns. ' +
        'Unknown column "Vacancies of 2026". Known columns: ',
    ],
    [
      'Job Title,Hourly/Fixed,Budget,Level,Skills,URL',
      'The first line has 6 columns; at most 5 are known. Unknown column "URL". Known columns: Job Title, ',
    ],
    ['title,Budget (USD)', 'Unknown column "Budget (USD)". Did you mean "budgetMin"? Known columns: '],
  ])('answers the header %s briefly, with the known names once', async (header, start) => {
    const message = (await imported(utf8(`${header}\nA\n`))) as string;

    expect(message.slice(0, start.length)).toBe(start);
    expect(message.length).toBeLessThan(700);
    expect(message.split('Known columns: ')).toHaveLength(2);
  });

  it('answers 20,000 blank lines, and an amount with 100,000 spaces', async () => {
    expect(await imported(utf8('\n'.repeat(20_000)))).toBe('The file is empty.');
    expect(await imported(utf8(`title,budgetMin\nA,"1${' '.repeat(100_000)}x"\n`))).toEqual(['1/budgetMin matches']);
  });
});
