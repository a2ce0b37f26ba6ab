import { AccountsService, generateOneTimeToken } from '../../auth/accounts/accounts.service';
import { PasswordsService } from '../../auth/passwords/passwords.service';
import { runLocally } from '../operator';
import { SEED_ADMIN, SEED_USERS, type SeedUser } from './seed-users';

const TOKEN_SECONDS = 60;

/**
 * Creates the accounts of SEED_USERS and SEED_ADMIN that do not exist, verified and without an email. The functions of
 * schema auth create them, as in a registration, so every account has its audit row.
 */
export function createSeedAccounts(operation: string): Promise<void> {
  return runLocally(operation, async (app) => {
    const accounts = app.get(AccountsService);
    const passwords = app.get(PasswordsService);
    const isKnown = async (email: string): Promise<boolean> =>
      (await accounts.findCredentials(email))?.isVerified === true;
    if (!(await isKnown(SEED_ADMIN.email)))
      await accounts.ensureAdmin(SEED_ADMIN.email, await passwords.hash(SEED_ADMIN.password));
    for (const user of SEED_USERS)
      if (!(await isKnown(user.email))) await register(accounts, user, await passwords.hash(user.password));
  });
}

async function register(
  accounts: AccountsService,
  { email, firstName, lastName }: SeedUser,
  encryptedPassword: string,
): Promise<void> {
  const { hash: tokenHash } = generateOneTimeToken();
  await accounts.register({ email, encryptedPassword, firstName, lastName, tokenHash, tokenSeconds: TOKEN_SECONDS });
  await accounts.verifyEmail(tokenHash);
}
