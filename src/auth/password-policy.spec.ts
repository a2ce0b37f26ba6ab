import { AppError } from '../platform/errors/app-error';
import { assertPasswordFits } from './password-policy';

const owner = { email: 'ann.other@acme-widgets.com', firstName: 'Ганна', lastName: 'Коваль' };

describe('assertPasswordFits', () => {
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
  ])('refuses %j', (password) => {
    const refused = (): void => assertPasswordFits(password, owner);

    expect(refused).toThrow(AppError);
    expect(refused).toThrow(expect.objectContaining({ code: 'password.unfit', status: 400 }));
  });

  it.each([
    'correct horse battery',
    'seven green umbrellas',
    'passwordcorrecthorse',
    'p4q8-zz1x-77rr',
    '93847561029',
    'Ганна любить каву',
    'x1y2z3w4',
  ])('takes %j, whatever characters it has', (password) => {
    expect(() => assertPasswordFits(password, owner)).not.toThrow();
  });

  it('refuses the whole address', () => {
    expect(() => assertPasswordFits(owner.email, owner)).toThrow(AppError);
  });

  it('needs no names', () => {
    expect(() => assertPasswordFits('seven green umbrellas', { email: 'a@b.co', firstName: null })).not.toThrow();
  });

  it('points to the field', () => {
    expect(() => assertPasswordFits('password', owner, '/newPassword')).toThrow(
      expect.objectContaining({ errors: [expect.objectContaining({ pointer: '/newPassword', code: 'unfit' })] }),
    );
  });
});
