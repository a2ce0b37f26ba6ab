const HOME = '/admin';

/** Only the path of an address counts. */
const BASE = 'http://dashboard.invalid';

const MAX_LENGTH = 2_000;

/** White space and backslashes, which browsers read in their own ways, and controls. */
const ODD = /[\s\\\p{Cc}]/u;

/** Addresses that are no page to come back to. */
const NO_PAGE = /^\/admin\/(?:sign-in|sign-out|confirm|events|style\.css|script\.js)(?:\/|$)/;

/** Returns the page of the dashboard that an address names; the overview for anything else, such as another site. */
export function returnPath(given: unknown): string {
  if (typeof given !== 'string' || given.length > MAX_LENGTH || !given.startsWith(HOME) || ODD.test(given)) return HOME;
  if (!URL.canParse(given, BASE)) return HOME;
  const { origin, pathname, search } = new URL(given, BASE);
  const isOurs = origin === BASE && (pathname === HOME || pathname.startsWith(`${HOME}/`));
  return isOurs && !NO_PAGE.test(pathname) ? pathname + search : HOME;
}

/** Returns the address of a form that leads on to the page that was asked for. */
export function leadingTo(form: string, page: string): string {
  return page === HOME ? form : `${form}?to=${encodeURIComponent(page)}`;
}
