import { currentContext, type Principal } from '../platform/context/request-context';
import { AppError } from '../platform/errors/app-error';

/**
 * Who is signed in.
 * @throws AppError `auth.session_missing` outside of a signed-in request
 */
export function currentPrincipal(): Principal {
  const principal = currentContext()?.principal;
  if (!principal) throw new AppError('auth.session_missing');
  return principal;
}
