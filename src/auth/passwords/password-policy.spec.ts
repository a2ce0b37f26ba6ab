import { AppError } from '../../platform/errors/app-error';
import { assertPasswordAllowed } from './password-policy';

const owner = { email: 'ann.other@acme-widgets.com', firstName: 'Ганна', lastName: 'Коваль' };

const TOO_COMMON = 'This password is too common (even without its digits and punctuation). Choose another one.';
const PATTERN = 'This password is a repetition, a sequence or a date. Choose another one.';
const WHITE_SPACE = 'This password is only white space. Choose another one.';
const OWN_WORD =
  'This password is your name, a part of your address or a word of this service (even without its digits and ' +
  'punctuation). Choose another one.';

describe('assertPasswordAllowed', () => {
  describe.each([
    ['white space', WHITE_SPACE, ['        ', '\u00a0\u3000        ']],
    [
      'a repetition, a sequence or a date',
      PATTERN,
      [
        '12345678',
        '1234567890',
        '11111111',
        '00000000',
        '22222222',
        '99999999',
        'aaaaaaaa',
        'zzzzzzzz',
        'aaaaaaa1',
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
        'abc123qwe',
        'ZYXWVUTS',
        'asdfghjk',
        '1qaz@WSX',
        'йцукенгш',
        'цукенгшщ',
        '１２３４５６７８',
        '😀😀😀😀😀😀😀😀',
      ],
    ],
    [
      'a common password',
      TOO_COMMON,
      [
        'password',
        'Password123!',
        '123-iloveyou-456',
        'other1234',
        'abc12377',
        '#123456#7',
        '696969-696969-',
        'dragondragon',
      ],
    ],
    [
      'a common password with accents, lookalikes, invisible characters or another keyboard',
      TOO_COMMON,
      [
        'ＰＡＳＳＷＯＲＤ１',
        'P@ssw0rd',
        'm1ch3ll3',
        'bu11dog7',
        'b4sk3tb@ll',
        'pässword',
        'hál9000',
        'hál9000!',
        'hal\u00ad9000',
        '1l0v3y0u!',
        'пароль12',
        'привет123',
        'раssword1',
        'passwоrd123',
        'ра$$wоrd',
        'passvvord1',
        'pass\u00adword\u200b1',
        'іlovеуоu1',
        'Passw0rd!Passw0rd!',
        'P@ssw0rd-P@ssw0rd-',
      ],
    ],
    [
      'a word of its owner or of this service',
      OWN_WORD,
      [
        'Ann.Other2026',
        'annother!!!',
        'acme.widgets1',
        'widgets1',
        'Ганна1234',
        'КовальГанна1',
        'gigvault2026',
        'freelance',
        'Fr33lance!',
        'Up-Work-77',
      ],
    ],
  ])('of %s', (_, detail, passwords) => {
    it.each(passwords)('rejects %j', (password) => {
      const check = (): void => assertPasswordAllowed(password, owner);

      expect(check).toThrow(AppError);
      expect(check).toThrow(expect.objectContaining({ code: 'password.unfit', status: 400, detail }));
    });
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
    'abc456!def',
    '77-q-19-4460',
  ])('accepts %j', (password) => {
    expect(() => assertPasswordAllowed(password, owner)).not.toThrow();
  });

  it('rejects the whole address', () => {
    expect(() => assertPasswordAllowed(owner.email, owner)).toThrow(AppError);
  });

  it.each([
    ['acmewidgets1', 'mail.acme-widgets.co.uk'],
    ['Acme-Widgets2026', 'mail.acme-widgets.co.uk'],
    ['acmewidgetscouk', 'mail.acme-widgets.co.uk'],
    ['acmewidgets1', 'acme.widgets.example'],
  ])('rejects %j, the name of a company in %s', (password, domain) => {
    expect(() => assertPasswordAllowed(password, { email: `ann@${domain}` })).toThrow('is your name');
  });

  it('accepts an owner without names', () => {
    expect(() => assertPasswordAllowed('seven green umbrellas', { email: 'a@b.co', firstName: null })).not.toThrow();
  });

  it('points to the field', () => {
    expect(() => assertPasswordAllowed('password', owner, '/newPassword')).toThrow(
      expect.objectContaining({ errors: [expect.objectContaining({ pointer: '/newPassword', code: 'unfit' })] }),
    );
  });
});
