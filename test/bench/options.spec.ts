import { OPERATIONS } from './operations';
import { parseOptions } from './options';

describe(parseOptions.name, () => {
  it('measures everything at three levels by default', () => {
    const { plan, ...others } = parseOptions([]);

    expect(plan.levels.map(({ connections }) => connections)).toEqual([16, 1, 64]);
    expect(others).toMatchObject({
      operations: OPERATIONS,
      hasExtras: true,
      isPart: false,
      isQuick: false,
      isProfiled: false,
    });
  });

  it('applies rounds and seconds to all levels and the extras', () => {
    const { levels, extras } = parseOptions(['--rounds', '9', '--seconds', '0.5']).plan;

    for (const each of [...levels, extras]) expect(each).toMatchObject({ rounds: 9, seconds: 0.5 });
  });

  it('measures a part: some operations, the extras, or both', () => {
    expect(parseOptions(['--only', 'b,a'])).toMatchObject({ operations: ['b', 'a'], hasExtras: false, isPart: true });
    expect(parseOptions(['--extras'])).toMatchObject({ operations: [], hasExtras: true, isPart: true });
    expect(parseOptions(['--only', 'c', '--extras'])).toMatchObject({
      operations: ['c'],
      hasExtras: true,
      isPart: true,
    });
  });

  it('fills the tables from one result, with another beside', () => {
    const files = { table: 'node24.json', beside: 'node20.json' };

    expect(parseOptions(['--table', files.table, '--beside', files.beside])).toMatchObject(files);
  });

  it.each([
    [['--only', 'x'], `--only: there is no operation 'x'; there are a, b, c, d, e, f`],
    [['--only', 'a,'], `--only: there is no operation ''`],
    [['--rounds', 'abc'], `--rounds: 'abc' is not a whole number from 1`],
    [['--rounds', '2.5'], `--rounds: '2.5'`],
    [['--rounds', '0'], `--rounds: '0'`],
    [['--rounds='], `--rounds: ''`],
    [['--seconds=-1'], `--seconds: '-1' is not a number above 0`],
    [['--seconds', '-1'], '--seconds'],
    [['--seconds', 'Infinity'], `--seconds: 'Infinity'`],
    [['--quickly'], '--quickly'],
    [['--beside', 'b.json'], '--beside: name the result of the table by --table'],
  ])('refuses %j', (args, message) => {
    expect(() => parseOptions(args)).toThrow(message);
  });
});
