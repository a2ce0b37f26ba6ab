import { AppError } from '../../platform/errors/app-error';
import { assertPasswordAllowed } from './password-policy';

const owner = { email: 'ann.other@acme-widgets.com', firstName: 'Ганна', lastName: 'Коваль' };

describe('assertPasswordAllowed', () => {
  it.each([
    'password',
    'Password123!',
    '123-iloveyou-456',
    '12345678',
    '1234567890',
    '11111111',
    'Ann.Other2026',
    'annother!!!',
    'other1234',
    'acme.widgets1',
    'Ганна1234',
    'КовальГанна1',
    'gigvault2026',
    'ＰＡＳＳＷＯＲＤ１',
    // Repetitions, sequences, dates and white space.
    '00000000',
    '22222222',
    '99999999',
    'aaaaaaaa',
    'zzzzzzzz',
    'aaaaaaa1',
    '        ',
    '\u00a0\u3000        ',
    '12121212',
    'abcabcabc',
    '19901990',
    '20252025',
    '20252026',
    '31.12.1999',
    '1999-12-31',
    '87654321',
    '12345678a',
    'abcdefgh',
    'abc123xyz',
    'ZYXWVUTS',
    'asdfghjk',
    '1qaz@WSX',
    'йцукенгш',
    '😀😀😀😀😀😀😀😀',
    // Lookalikes, accents, another keyboard, doubling, words of this service.
    'P@ssw0rd',
    'pässword',
    '1l0v3y0u!',
    'пароль12',
    'привет123',
    'dragondragon',
    'freelance',
    'Fr33lance!',
    'Up-Work-77',
    // Letters of other scripts, invisible characters and a repeated unit with lookalikes.
    'раssword1',
    'passwоrd123',
    'ра$$wоrd',
    'passvvord1',
    'pass\u00adword\u200b1',
    'іlovеуоu1',
    'Passw0rd!Passw0rd!',
    'P@ssw0rd-P@ssw0rd-',
  ])('rejects %j', (password) => {
    const check = (): void => assertPasswordAllowed(password, owner);

    expect(check).toThrow(AppError);
    expect(check).toThrow(expect.objectContaining({ code: 'password.unfit', status: 400 }));
  });

  it.each([
    'correct horse battery',
    'seven green umbrellas',
    'passwordcorrecthorse',
    'p4q8-zz1x-77rr',
    '93847561029',
    'Ганна любить каву',
    'x1y2z3w4',
    'kitten piano 7',
    'Tr4verse-Lemon',
    'калина над Дніпром',
    '2719 4460 8135',
    'zm7#qk2!vd',
    '三つの緑の傘が歩く',
    'abc meadow 123 lantern',
  ])('accepts %j', (password) => {
    expect(() => assertPasswordAllowed(password, owner)).not.toThrow();
  });

  it('rejects the whole address', () => {
    expect(() => assertPasswordAllowed(owner.email, owner)).toThrow(AppError);
  });

  it.each(['acmewidgets1', 'Acme-Widgets2026', 'acmewidgetscouk'])(
    'rejects %j, the name of a company in the address',
    (password) => {
      expect(() => assertPasswordAllowed(password, { email: 'ann@mail.acme-widgets.co.uk' })).toThrow('is your name');
    },
  );

  it('accepts an owner without names', () => {
    expect(() => assertPasswordAllowed('seven green umbrellas', { email: 'a@b.co', firstName: null })).not.toThrow();
  });

  it('says what is wrong and what to do', () => {
    const getDetail = (password: string): unknown => {
      try {
        return assertPasswordAllowed(password, owner);
      } catch (error) {
        return (error as AppError).detail;
      }
    };

    expect(getDetail('P@ssw0rd1')).toBe(
      'This password is too common (even without its digits and punctuation). Choose another one.',
    );
    expect(getDetail('abcdefgh')).toBe('This password is a repetition, a sequence or a date. Choose another one.');
    expect(getDetail('        ')).toBe('This password is only white space. Choose another one.');
    expect(getDetail('annother1')).toMatch(/^This password is your name.* Choose another one\.$/);
  });

  it('points to the field', () => {
    expect(() => assertPasswordAllowed('password', owner, '/newPassword')).toThrow(
      expect.objectContaining({ errors: [expect.objectContaining({ pointer: '/newPassword', code: 'unfit' })] }),
    );
  });
});
