/**
 * POSTs whose answer is never kept. Sign-in answers hold tokens, an authorization's address its state, a webhook's its
 * secret. A refresh of a connection calls its provider, which no transaction may wait for; repeated within seconds it is
 * one refresh anyway. An erased user has no keys any more; what an admin does to an account ends in emails, and does the
 * same when repeated.
 */
const NOT_KEPT = /^\/v1\/(auth(\/|$)|tokens\/|users\/me\/erase$|admin\/users\/|webhooks(\/:id\/rotate-secret)?$)/;

/**
 * Returns whether a POST with an Idempotency-Key happens once. The server and its OpenAPI document both ask here.
 * @param route as it is registered: `/v1/jobs/:id`
 */
export function isRepeatable(route: string): boolean {
  return !NOT_KEPT.test(route);
}
