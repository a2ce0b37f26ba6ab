/** The number of the database a Redis URL names. Pub/sub knows none: installations in one Redis put it into their names. */
export function databaseNumberOf(url: string): string {
  const [, number = '0'] = /^\/(\d+)$/.exec(new URL(url).pathname) ?? [];
  return number;
}
