import { ANSWERS_HEADING, splitScreeningAnswers } from './screening-answers';

describe(splitScreeningAnswers.name, () => {
  it.each([
    ['no heading', 'Dear client.\n1. First I read.', 'Dear client.\n1. First I read.', []],
    [
      'answers in order',
      `Dear client.\n\n${ANSWERS_HEADING}\n1. PostgreSQL.\n2. Yes.`,
      'Dear client.',
      ['PostgreSQL.', 'Yes.'],
    ],
    ['a heading in Markdown', `Hi.\n**${ANSWERS_HEADING}**\n1. A`, 'Hi.', ['A']],
    ['an answer of two lines', `Hi.\n${ANSWERS_HEADING}\n1. A\nand more\n\n2. B`, 'Hi.', ['A and more', 'B']],
    ['a question without an answer', `Hi.\n${ANSWERS_HEADING}\n2. B`, 'Hi.', ['', 'B']],
    ['an answer without a number', `Hi.\n${ANSWERS_HEADING}\nA`, 'Hi.', []],
    ['a heading alone', ANSWERS_HEADING, '', []],
  ])('reads %s', (_, text, letter, answers) => {
    expect(splitScreeningAnswers(text)).toEqual({ letter, answers });
  });
});
