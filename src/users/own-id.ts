import { currentContext } from '../platform/context/request-context';
import { AppError } from '../platform/errors/app-error';

/**
 * The id of the signed-in user.
 * @throws AppError `auth.session_missing`
 */
export function ownId(): number {
  const principal = currentContext()?.principal;
  if (!principal) throw new AppError('auth.session_missing');
  return principal.userId;
}
