import { plainToInstance } from 'class-transformer';
import { validateSync } from 'class-validator';
import { EmailField } from './credential-fields';

class AddressDto {
  @EmailField()
  email: string;
}

/** Returns the address as the DTO receives it, or the validation messages. */
function parseEmail(email: unknown): string | string[] {
  const dto = plainToInstance(AddressDto, { email });
  const errors = validateSync(dto).flatMap(({ constraints = {} }) => Object.values(constraints));
  return errors.length === 0 ? dto.email : errors;
}

describe(EmailField.name, () => {
  it.each([
    [' ann@example.org ', 'ann@example.org'],
    ['\t\r\nann@example.org\f', 'ann@example.org'],
    ['ann+tag@bücher.example', 'ann+tag@bücher.example'],
    ['ганна@пошта.укр', 'ганна@пошта.укр'],
    ['ann@xn--bcher-kva.example', 'ann@xn--bcher-kva.example'],
  ])('reads %j as %j', (given, expected) => {
    expect(parseEmail(given)).toBe(expected);
  });

  it.each([
    ['ann\u200b@example.org', 'U+200B'],
    ['a\u202enn@example.org', 'U+202E'],
    ['ann\u2066@example.org', 'U+2066'],
    ['ann@exam\u00adple.org', 'U+00AD'],
    ['ann\u200d@example.org', 'U+200D'],
    ['\ufeffann@example.org', 'U+FEFF'],
    ['ann\u3164@example.org', 'U+3164'],
    ['ann\u034f@example.org', 'U+034F'],
    ['ann@example.org\u00a0', 'U+00A0'],
    ['"a b"@example.org', 'U+0020'],
  ])('rejects %j and names the invisible character', (given, name) => {
    expect(parseEmail(given)).toEqual(
      expect.arrayContaining([
        expect.stringMatching(new RegExp(`^email has .*${name.replace('+', '\\+')}.* Remove it\\.$`)),
      ]),
    );
  });

  it.each(['"a@b"@example.org', 'ann@xn--a.example', 'ann@\u200d.example', 'ann', '@example.org', 'ann@', '', 5, null])(
    'rejects %j',
    (given) => {
      expect(parseEmail(given)).toBeInstanceOf(Array);
    },
  );
});
