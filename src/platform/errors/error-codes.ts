/** What one code means: its HTTP status and a short title, both fixed for the code. */
export interface ErrorCodeDefinition {
  readonly status: number;
  readonly title: string;
  /** What to do about it; the detail of an error that has none of its own. */
  readonly detail?: string;
}

/**
 * THE table of errors: every answer that is not a success carries one of these codes. Codes are public and stable: new
 * ones may come, none changes its meaning. Other rows than the caller's answer 404, never 403. GET /docs/errors is
 * made from it.
 */
export const ERROR_CODES = {
  // The request itself
  'request.malformed': { status: 400, title: 'The request cannot be read' },
  'request.malformed_json': { status: 400, title: 'The body is not valid JSON' },
  'request.malformed_url': { status: 400, title: 'The address is malformed' },
  'request.not_acceptable': { status: 406, title: 'No representation fits the Accept header' },
  'request.timeout': { status: 408, title: 'The request took too long to arrive' },
  'request.body_too_large': { status: 413, title: 'The body is too large' },
  'request.url_too_long': { status: 414, title: 'The address is too long' },
  'request.media_type_unsupported': { status: 415, title: 'Unsupported media type' },
  'request.expectation_failed': { status: 417, title: 'The Expect header asks for something the server does not do' },
  'request.headers_too_large': { status: 431, title: 'The headers are too large' },
  'validation.failed': { status: 400, title: 'Some values are not valid' },
  'cursor.invalid': { status: 400, title: 'The cursor does not belong to this list' },
  'route.not_found': { status: 404, title: 'There is no such route' },
  'route.method_not_allowed': { status: 405, title: 'Method not allowed' },
  'resource.not_found': { status: 404, title: 'There is no such resource' },
  'precondition.failed': { status: 412, title: 'The resource has changed since' },
  'rate.limited': { status: 429, title: 'Too many requests' },
  'rate.too_many_at_once': { status: 429, title: 'Too many requests at once' },
  'idempotency.key_invalid': { status: 400, title: 'The Idempotency-Key is not valid' },
  'idempotency.in_progress': { status: 409, title: 'The first request with this Idempotency-Key is still running' },
  'idempotency.key_reused': { status: 422, title: 'The Idempotency-Key was used for another request' },

  // The data
  'reference.not_found': { status: 422, title: 'A value refers to something that does not exist' },
  'conflict.duplicate': { status: 409, title: 'Such a resource exists already' },
  'conflict.in_use': { status: 409, title: 'The resource is still in use' },
  'conflict.concurrent': { status: 409, title: 'Another change came first; try again' },

  // Who asks
  'auth.session_missing': { status: 401, title: 'Sign in first' },
  'auth.token_invalid': { status: 401, title: 'The token is not valid' },
  'auth.credentials_invalid': { status: 401, title: 'Wrong e-mail address or password' },
  'auth.refresh_token_invalid': { status: 401, title: 'The refresh token is not valid' },
  'auth.code_invalid': { status: 401, title: 'The code is not valid' },
  'auth.link_invalid': { status: 400, title: 'The link is not valid any more' },
  'auth.email_not_verified': { status: 403, title: 'The e-mail address is not verified yet' },
  'auth.step_up_required': {
    status: 403,
    title: 'Re-authentication needed',
    detail: 'POST /v1/auth/step-up with your password, then repeat the request within 10 minutes.',
  },
  'auth.throttled': { status: 429, title: 'Too many failed attempts' },
  'auth.registration_closed': { status: 403, title: 'This installation takes no new accounts' },
  'auth.forbidden': { status: 403, title: 'You do not have permission' },
  'mfa.already_enabled': { status: 409, title: 'Two-factor sign-in is on already' },
  'mfa.not_enrolled': { status: 409, title: 'Ask for a secret first' },
  'mfa.not_enabled': { status: 409, title: 'Two-factor sign-in is off' },
  'password.unfit': { status: 400, title: 'The password is not acceptable' },

  // Domains
  'user.not_found': { status: 404, title: 'There is no such user' },
  'user.last_admin': { status: 409, title: 'The last active admin must stay one' },
  'session.not_found': { status: 404, title: 'There is no such session' },
  'token.not_found': { status: 404, title: 'There is no such connection' },
  'token.state_invalid': { status: 400, title: 'The authorization is unknown, used or expired; start again' },
  'token.authorization_denied': { status: 409, title: 'The provider did not authorize the connection' },
  'token.reconnect_needed': { status: 409, title: 'The connection must be made again' },
  'token.refresh_failed': { status: 503, title: 'The provider did not refresh the connection' },
  'token.refresh_running': { status: 503, title: 'The connection is being refreshed' },
  'token.not_connected': {
    status: 409,
    title: 'Connect Upwork first',
    detail: 'Start with POST /v1/tokens/upwork/authorize.',
  },
  'sync.not_found': { status: 404, title: 'There is no such synchronisation' },
  'saved_search.not_found': { status: 404, title: 'There is no such saved search' },
  'saved_search.already_exists': { status: 409, title: 'There is a saved search of this name' },
  'webhook.not_found': { status: 404, title: 'There is no such webhook' },
  'webhook.url_refused': { status: 422, title: 'The address may not be called' },
  'webhook.delivery_not_found': { status: 404, title: 'There is no such delivery' },
  'webhook.delivery_not_failed': { status: 409, title: 'Only a failed delivery may be sent again' },
  'upwork.not_configured': {
    status: 503,
    title: 'Upwork is not set up on this server',
    detail: 'The operator of this server sets UPWORK_CLIENT_ID and UPWORK_CLIENT_SECRET.',
  },
  'upwork.unavailable': { status: 503, title: 'Upwork cannot be reached now', detail: 'Try again in some minutes.' },
  'job.not_found': { status: 404, title: 'There is no such job' },
  'job.already_exists': { status: 409, title: 'The job exists already' },
  'job.wrong_status': { status: 409, title: 'The job is not in a status for this' },
  'import.malformed': { status: 400, title: 'The file cannot be read' },
  'import.too_many_rows': { status: 413, title: 'The import has too many rows' },
  'proposal.not_found': { status: 404, title: 'There is no such proposal' },
  'proposal.already_open': { status: 409, title: 'The job has an open proposal already' },
  'proposal.incomplete': { status: 422, title: 'The proposal lacks what it needs to be submitted' },
  'proposal.not_draft': { status: 409, title: 'Only a draft may be changed' },
  'proposal.wrong_step': { status: 409, title: 'The proposal cannot take this step now' },
  'template.not_found': { status: 404, title: 'There is no such template' },
  'template.already_exists': { status: 409, title: 'There is a template of this name' },
  'ai.not_configured': { status: 503, title: 'No AI vendor is set up on this server' },
  'ai.model_unknown': { status: 422, title: 'There is no such model' },
  'ai.model_unavailable': { status: 503, title: 'The vendor of this model is not configured' },
  'ai.budget_exceeded': { status: 402, title: 'The AI budget does not allow this call' },
  'ai.installation_budget_exceeded': { status: 503, title: 'The installation has used its AI budget' },
  'ai.budget_above_ceiling': { status: 422, title: 'The budget is above what this installation allows' },
  'ai.generation_not_found': { status: 404, title: 'There is no such generation' },
  'ai.generation_not_ready': { status: 409, title: 'The generation has no text to accept' },
  'ai.generation_failed': { status: 502, title: 'No AI vendor wrote the text' },
  'message.not_found': { status: 404, title: 'There is no such message' },
  'audit.not_found': { status: 404, title: 'There is no such record' },
  'encryption_key.not_found': { status: 404, title: 'There is no such encryption key' },
  'encryption_key.in_use': { status: 409, title: 'The encryption key is still in use' },
  'encryption_key.of_settings': { status: 409, title: 'The encryption keys are those of the settings' },
  'task.not_found': { status: 404, title: 'There is no such task' },
  'alert.not_found': { status: 404, title: 'There is no such alert' },
  'task.run_not_found': { status: 404, title: 'There is no such run' },
  'backup.not_found': { status: 404, title: 'There is no such backup' },
  'backup.not_checkable': { status: 409, title: 'The backup cannot be verified now' },
  'task.run_not_failed': { status: 409, title: 'Only a run that failed, wholly or in part, can be retried' },

  // The server
  internal: { status: 500, title: 'Something went wrong on our side' },
  'service.unavailable': { status: 503, title: 'The service is busy or restarting; try again' },
} as const satisfies Record<string, ErrorCodeDefinition>;

/** The name of an error. */
export type ErrorCode = keyof typeof ERROR_CODES;
