import { ERROR_CODES } from './error-codes';

/** Returns the HTML page that the `type` of each problem links to. */
export function renderErrorsPage(): string {
  const rows = Object.entries(ERROR_CODES)
    .map(([code, { status, title, detail }]) => {
      return `<tr id="${code}"><td><code>${code}</code><td>${status}<td>${title}<td>${detail}`;
    })
    .join('\n');
  return `<!doctype html>
<html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>Gigvault error codes</title>
<style>
body { font: 16px/1.5 system-ui, sans-serif; max-width: 56rem; margin: 2rem auto; padding: 0 1rem }
table { border-collapse: collapse; width: 100% }
th, td { text-align: left; padding: .4rem .8rem; border-bottom: 1px solid #8884 }
tr:target { background: #fd06 }
</style>
<h1>Error codes</h1>
<p>Every error is an <code>application/problem+json</code> document (RFC 9457) with one of these codes.
Codes are stable: new ones may be added, and no code changes its meaning. The <code>detail</code> of an answer may say
more than this table. Quote the <code>requestId</code> when you ask for help.
<table><thead><tr><th>Code<th>Status<th>Meaning<th>What to do<tbody>
${rows}
</table>
</html>
`;
}
