import { currentPrincipal } from '../auth/principal';

/**
 * Returns the id of the signed-in user.
 * @throws AppError `auth.session_missing`
 */
export function ownId(): number {
  return currentPrincipal().userId;
}
