import { Type } from 'class-transformer';
import { ArrayMaxSize, IsInt, IsString, Min, ValidateBy, ValidateNested } from 'class-validator';
import { AppError, type FieldError } from '../../errors/app-error';
import { Field, InstantField, TextField, TextLength } from './fields';
import { BooleanParam, IntegerParam, TextListParam } from './query-params';
import { RequestValidationPipe } from './request-validation.pipe';

const OPTIONAL = { optional: true, description: 'May be absent.' };
const NULLABLE = { nullable: true, description: 'May be null.' };

class Inner {
  @IsInt()
  rank: number;
}

class Outer {
  @Field({ type: [String] }, OPTIONAL, IsString({ each: true }), TextLength(0, 3, { each: true }))
  tags?: string[];

  @Field({ type: [Inner] }, OPTIONAL, ValidateNested({ each: true }))
  @Type(() => Inner)
  inner?: Inner[];

  @Field({ type: 'integer', minimum: 0 }, NULLABLE, IsInt(), Min(0))
  score?: number | null;

  @InstantField(OPTIONAL)
  at?: Date;

  @IntegerParam({ min: 1, max: 9, description: 'From 1 to 9.' })
  size: number = 5;

  @BooleanParam({ description: 'True or false.' })
  open?: boolean;

  @TextListParam({ max: 10, description: 'Words.' })
  words?: string[];
}

class Nothing {}

const pipe = new RequestValidationPipe();

async function read(value: unknown, metatype: typeof Outer | typeof Nothing = Outer): Promise<unknown> {
  return pipe.transform(value, { type: 'body', metatype });
}

async function rejected(value: unknown, metatype?: typeof Nothing): Promise<readonly FieldError[]> {
  const error: unknown = await read(value, metatype).catch((thrown: unknown) => thrown);
  if (!(error instanceof AppError)) throw new Error(`not rejected: ${JSON.stringify(error)}`);
  expect([error.code, error.status]).toEqual(['validation.failed', 400]);
  return error.errors;
}

describe(RequestValidationPipe.name, () => {
  it('creates instances with defaults and converted values', async () => {
    const value = await read({
      at: '2026-01-02T03:04:05+02:00',
      size: '7',
      open: 'false',
      words: 'a, b,,c',
      score: null,
    });

    expect(value).toBeInstanceOf(Outer);
    expect(value).toEqual({
      at: new Date('2026-01-02T01:04:05Z'),
      size: 7,
      open: false,
      words: ['a', 'b', 'c'],
      score: null,
    });
    expect(await read({})).toEqual({ size: 5 });
    await expect(read({ words: '' })).rejects.toThrow();
    expect(await read(undefined)).toEqual({ size: 5 });
  });

  it('reports each wrong item', async () => {
    expect(await rejected({ tags: ['abc', 'abcd', 5] })).toEqual(
      expect.arrayContaining([
        { pointer: '/tags/2', code: 'is_string', message: 'tags must be a string (item 2).' },
        expect.objectContaining({ pointer: '/tags/1', code: 'max_length' }),
      ]),
    );
  });

  it('points into nested values', async () => {
    expect(await rejected({ inner: [{ rank: 1 }, { rank: 'x', extra: 1 }] })).toEqual(
      expect.arrayContaining([
        expect.objectContaining({ pointer: '/inner/1/rank', code: 'is_int' }),
        expect.objectContaining({
          pointer: '/inner/1/extra',
          code: 'unknown_field',
          message: 'Unknown field "extra".',
        }),
      ]),
    );
  });

  it.each([
    ['null for an optional field', { tags: null }, '/tags'],
    ['null for a parameter', { size: null }, '/size'],
    ['an unknown field', { tag: [] }, '/tag'],
    ['a property of every object', { hasOwnProperty: 1 }, '/hasOwnProperty'],
    ['a hexadecimal number', { size: '0x5' }, '/size'],
    ['a fraction', { size: '1.5' }, '/size'],
    ['a list for one value', { size: ['1', '2'] }, '/size'],
    ['an empty boolean', { open: '' }, '/open'],
    ['a time without a zone', { at: '2026-01-02T03:04:05' }, '/at'],
    ['a date alone', { at: '2026-01-02' }, '/at'],
    ['the 31st of April', { at: '2026-04-31T00:00:00Z' }, '/at'],
    ['the 25th hour', { at: '2026-04-30T25:00:00Z' }, '/at'],
    ['a number for a time', { at: 5 }, '/at'],
  ])('rejects %s', async (_, value, pointer) => {
    expect((await rejected(value)).map((error) => error.pointer)).toContain(pointer);
  });

  it.each([[null], [[]], ['text'], [5], [true]])('rejects %j for an object', async (value) => {
    expect((await rejected(value))[0]).toMatchObject({ pointer: '', code: 'is_object' });
  });

  it('rejects all fields where none is declared', async () => {
    expect(await read({}, Nothing)).toEqual({});
    await expect(read({ a: 1 }, Nothing)).rejects.toMatchObject({
      detail: 'Unknown field "a". No names are allowed here.',
      errors: [{ pointer: '/a', code: 'unknown_field', message: 'Unknown field "a".' }],
    });
  });

  it('lists unknown fields, wrong values and the known fields once', async () => {
    await expect(read({ tag: 1, id: 1, score: 'x', size: '0' })).rejects.toMatchObject({
      detail:
        'Unknown field "tag". Did you mean "tags"? The field "id" is read-only. Leave it out. ' +
        'score must be a whole number of at least 0. 1 more in errors. ' +
        'Known fields: at, inner, open, score, size, tags, words.',
      errors: [{ pointer: '/tag' }, { pointer: '/id' }, { pointer: '/score' }, { pointer: '/size' }],
    });
  });

  it.each([
    [{ size: 'abc' }, 'size must be a whole number from 1 to 9.'],
    [{ size: '0' }, 'size must be a whole number from 1 to 9.'],
    [{ open: null }, 'open must not be null. Leave it out.'],
    [{ inner: [{}] }, 'rank is required.'],
    [{ inner: [{ rank: null }] }, 'rank is required.'],
  ])('describes the error of %j in one sentence', async (value, message) => {
    expect((await rejected(value)).map((error) => error.message)).toEqual([message]);
  });

  it('reports at most 50 errors', async () => {
    expect(await rejected({ tags: Array.from({ length: 500 }, () => 5) })).toHaveLength(50);
  });

  it('reports at most 50 unknown names and truncates a long one', async () => {
    const names = Array.from({ length: 500 }, (_, index) => `n${index}`);

    expect(await rejected(Object.fromEntries(names.map((name) => [name, 1])))).toHaveLength(50);
    expect((await rejected({ ['x'.repeat(1_000)]: 1 }))[0]!.pointer).toBe(`/${'x'.repeat(200)}…`);
  });

  it('keeps texts within their length unchanged', async () => {
    class Texts {
      @TextField({ max: 20, description: 'A title.' })
      title: string;

      @TextField({ max: 20, ...NULLABLE })
      country?: string | null;

      @Field({ type: String }, OPTIONAL, TextLength(0, 20))
      note?: string;

      @Field({ type: [String] }, OPTIONAL, TextLength(0, 20, { each: true }))
      tags?: string[];
    }
    const text = 'x'.repeat(20);
    const value = { title: text, country: text, note: text, tags: [text] };

    expect(await pipe.transform(value, { type: 'body', metatype: Texts })).toEqual(value);
  });

  it('truncates a value before its rules read it', async () => {
    const lengths: number[] = [];
    const RecordLength = (): PropertyDecorator =>
      ValidateBy({ name: 'recordLength', validator: { validate: (value) => lengths.push(value.length) > 0 } });
    class Short {
      @RecordLength()
      @TextLength(1, 10)
      text?: string;

      @Field({ type: [String] }, OPTIONAL, RecordLength(), ArrayMaxSize(3))
      list?: string[];
    }

    await expect(pipe.transform({ text: 'x'.repeat(1_000) }, { type: 'body', metatype: Short })).rejects.toMatchObject({
      errors: [{ pointer: '/text', code: 'is_length' }],
    });
    await expect(
      pipe.transform({ text: 'x', list: Array(1_000).fill('x') }, { type: 'body', metatype: Short }),
    ).rejects.toMatchObject({
      errors: [{ pointer: '/list', code: 'array_max_size' }],
    });
    expect(Math.max(...lengths)).toBe(22);
    expect(await pipe.transform({ text: '🚀'.repeat(10) }, { type: 'body', metatype: Short })).toEqual({
      text: '🚀'.repeat(10),
    });
  });

  it('never accepts a truncated value', async () => {
    class Misread {
      @ValidateBy({ name: 'isLength', constraints: [0, 0], validator: { validate: () => true } })
      text?: string;
    }

    await expect(
      pipe.transform({ text: 'kept whole or not at all' }, { type: 'body', metatype: Misread }),
    ).rejects.toThrow('truncated');
    expect(await pipe.transform({ text: 'ab' }, { type: 'body', metatype: Misread })).toEqual({ text: 'ab' });
  });
});
