import { plainToInstance } from 'class-transformer';
import { validateSync } from 'class-validator';
import { TextListParam } from './query-params';

class ListDto {
  @TextListParam({ max: 20, description: 'Words.' })
  list: string[];
}

const listOf = (list: unknown): string[] | undefined => {
  const dto = plainToInstance(ListDto, { list });
  return validateSync(dto).length === 0 ? dto.list : undefined;
};

describe(TextListParam.name, () => {
  it.each([
    ['SQL, Node.js , ,C++', ['SQL', 'Node.js', 'C++']],
    [
      ['SQL', 'A,B'],
      ['SQL', 'A', 'B'],
    ],
    ['"Writing, Translation"', ['Writing, Translation']],
    [' "Writing, Translation" , SQL', ['Writing, Translation', 'SQL']],
    ['SQL,"a ""b"", c"', ['SQL', 'a "b", c']],
    ['24" screens, "half', ['24" screens', '"half']],
    ['"a" b, c', ['"a" b', 'c']],
  ])('reads %j as %j', (text, expected) => {
    expect(listOf(text)).toEqual(expected);
  });

  it.each(['', ' , ,', '""'])('rejects %j, which has no value', (text) => {
    expect(listOf(text)).toBeUndefined();
  });
});
