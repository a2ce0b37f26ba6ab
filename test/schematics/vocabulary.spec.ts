import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { resolve } from 'node:path';
import { Tree } from '@angular-devkit/schematics';

const VOCABULARY = 'test/architecture/vocabulary.json';

interface Vocabulary {
  readonly words: Readonly<Record<string, string>>;
  readonly identifiers: Readonly<Record<string, string>>;
}

/** Plain JavaScript, because the Nest CLI runs it. */
const load = createRequire(__filename);
const { findUnusedWord } = load('../../src/schematics/lib/vocabulary.cjs') as {
  findUnusedWord: (vocabulary: Vocabulary, forms: readonly string[]) => string | undefined;
};
const { assertDomainName, assertTaskName } = load('../../src/schematics/lib/names.cjs') as {
  assertDomainName: (tree: Tree, name: string, type: string) => void;
  assertTaskName: (tree: Tree, name: string) => void;
};
const { parseFields } = load('../../src/schematics/lib/fields.cjs') as {
  parseFields: (text: string, table: string, vocabulary: Vocabulary) => { readonly mistakes: string[] };
};

const text = readFileSync(resolve(__dirname, '..', '..', VOCABULARY), 'utf8');
const vocabulary = JSON.parse(text) as Vocabulary;

function buildTree(): Tree {
  const tree = Tree.empty();
  tree.create(VOCABULARY, text);
  return tree;
}

/** Joins the words of a phrase: so-much, soMuch, so_much. */
function join(phrase: string, separator: '-' | '_' | ''): string {
  return phrase.replace(/[ -](.)/g, (_, letter: string) => separator + (separator ? letter : letter.toUpperCase()));
}

const NOT_USED = 'is a word that is not used here; instead: ';

describe('the generators and test/architecture/vocabulary.json', () => {
  it.each(Object.keys(vocabulary.words))('refuse the name of a domain and of a task with "%s"', (word) => {
    const name = join(word, '-');

    expect(() => assertDomainName(buildTree(), `${name}-lists`, 'user')).toThrow(NOT_USED);
    expect(() => assertTaskName(buildTree(), `send-${name}`)).toThrow(NOT_USED);
  });

  it.each(Object.keys(vocabulary.words))('refuse a field and a value of an enum with "%s"', (word) => {
    const fields = [`${join(word, '')}At:instant`, `state:enum(open|${join(word, '_')})`];
    const { mistakes } = parseFields(fields.join(), 'notes', vocabulary);

    expect(mistakes).toEqual(fields.map((field) => expect.stringContaining(`--fields ${field}: "`)));
    for (const mistake of mistakes) expect(mistake).toContain(NOT_USED);
  });

  it.each(Object.keys(vocabulary.identifiers))('refuse the identifier "%s"', (identifier) => {
    expect(findUnusedWord(vocabulary, ['price list', identifier])).toContain(NOT_USED);
  });

  it.each(['then-themes', 'historic-chimes', 'open-pendings', 'opens'])('find nothing in "%s"', (name) => {
    expect(findUnusedWord(vocabulary, [name])).toBeUndefined();
  });
});
