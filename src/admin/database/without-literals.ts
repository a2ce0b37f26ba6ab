/** What may hold a value of a tenant: quoted and dollar-quoted text, comments, numbers. A name in double quotes stays. */
const LITERALS =
  /"(?:[^"]|"")*"|(?:\b[ebx])?'(?:[^'\\]|''|\\[\s\S])*(?:'|$)|\$([a-z_]\w*)?\$[\s\S]*?(?:\$\1\$|$)|--[^\n]*|\/\*[\s\S]*?(?:\*\/|$)|\$\d+|\b\d+(?:\.\d+)?(?:e[+-]?\d+)?\b/gi;

/**
 * Returns a statement as it may be shown: pg_stat_statements replaces the values of queries by itself, but not those of
 * other statements, nor of what it saw before it could. What looks open to the end is taken away to the end.
 */
export function withoutLiterals(sql: string): string {
  return sql
    .replace(LITERALS, (found) => {
      if (found.startsWith('"') || /^\$\d+$/.test(found)) return found;
      return found.startsWith('--') || found.startsWith('/*') ? ' ' : '?';
    })
    .replace(/\s+/g, ' ')
    .trim();
}
