/** The HTTP status and the texts of a code. */
export interface ErrorCodeDefinition {
  readonly status: number;
  readonly title: string;
  /** The remedy. Default of the detail of an error. */
  readonly detail: string;
}

const RETRY_LATER = 'Wait for the seconds in Retry-After, then repeat the request.';
const CONNECT = 'Start with POST /v1/tokens/upwork/authorize.';

function define(status: number, title: string, detail: string): ErrorCodeDefinition {
  return { status, title, detail };
}

/**
 * The table of all errors. Codes are public and stable: new codes may be added, and no code changes its meaning. A row
 * of another user is 404, never 403. GET /docs/errors shows this table.
 */
export const ERROR_CODES = {
  // The request itself
  'request.malformed': define(400, 'The request is malformed', 'Check the syntax and the headers of the request.'),
  'request.malformed_json': define(400, 'The body is not valid JSON', 'Check the body with a JSON validator.'),
  'request.malformed_url': define(400, 'The URL is malformed', 'Percent-encode the path and the query as UTF-8.'),
  'request.not_acceptable': define(406, 'Not acceptable', 'Send Accept: application/json, or no Accept header.'),
  'request.timeout': define(408, 'Request timeout', 'The request did not arrive completely in time. Send it again.'),
  'request.body_too_large': define(413, 'The body is too large', 'Send a smaller body.'),
  'request.url_too_long': define(414, 'The URL is too long', 'Shorten the parameters of the path.'),
  'request.media_type_unsupported': define(415, 'Unsupported media type', 'Send a media type that this route accepts.'),
  'request.expectation_failed': define(417, 'The Expect header cannot be met', 'Leave out the Expect header.'),
  'request.headers_too_large': define(431, 'The headers are too large', 'Shorten the URL and the headers.'),
  'validation.failed': define(400, 'Some values are not valid', 'Correct the values and send the request again.'),
  'cursor.invalid': define(400, 'The cursor is not valid for this list', 'Start again without a cursor.'),
  'route.not_found': define(404, 'Route not found', 'No route has this path. Check the URL in the documentation.'),
  'route.method_not_allowed': define(405, 'Method not allowed', 'Use one of the methods in the Allow header.'),
  'resource.not_found': define(404, 'Resource not found', 'The resource does not exist, or it is not yours.'),
  'precondition.failed': define(
    412,
    'Precondition failed',
    'Read the resource again and send its current ETag as If-Match.',
  ),
  'rate.limited': define(429, 'Too many requests', RETRY_LATER),
  'rate.too_many_at_once': define(429, 'Too many concurrent requests', RETRY_LATER),
  'idempotency.key_invalid': define(400, 'The Idempotency-Key is not valid', 'Send 1 to 255 visible ASCII characters.'),
  'idempotency.in_progress': define(409, 'A request with this Idempotency-Key is still running', RETRY_LATER),
  'idempotency.key_reused': define(
    422,
    'The Idempotency-Key was used for another request',
    'Send a new key with a new request.',
  ),

  // The data
  'reference.not_found': define(422, 'A referenced resource does not exist', 'You have no resource with the given id.'),
  'conflict.duplicate': define(409, 'The resource already exists', 'Another resource has the same unique value.'),
  'conflict.in_use': define(
    409,
    'The resource is still in use',
    'Change or delete the resources that refer to it first.',
  ),
  'conflict.concurrent': define(409, 'Conflict with a concurrent change', 'Read the resource and repeat the request.'),

  // Authentication and authorization
  'auth.session_missing': define(
    401,
    'Sign-in required',
    'Send the accessToken of POST /v1/auth/login as a bearer token.',
  ),
  'auth.token_invalid': define(
    401,
    'The token is not valid',
    'The token has expired or its session has ended. Sign in again.',
  ),
  'auth.credentials_invalid': define(
    401,
    'Wrong email address or password',
    'Check the email address and the password.',
  ),
  'auth.refresh_token_invalid': define(
    401,
    'The refresh token is not valid',
    'The token is unknown, used or expired. Sign in again.',
  ),
  'auth.code_invalid': define(
    401,
    'The code is not valid',
    'The code is wrong, expired or used. Send the current one.',
  ),
  'auth.link_invalid': define(400, 'The link is not valid', 'The link is unknown, used or expired. Request a new one.'),
  'auth.email_not_verified': define(
    403,
    'The email address is not verified',
    'Open the link in the email you received. POST /v1/auth/verify-email/resend sends a new one.',
  ),
  'auth.step_up_required': define(
    403,
    'Re-authentication needed',
    'POST /v1/auth/step-up with your password, then repeat the request within 10 minutes.',
  ),
  'auth.mfa_enrolment_required': define(
    403,
    'A second factor must be set up first',
    'Admins need two-factor sign-in. Start with POST /v1/auth/mfa/totp.',
  ),
  'auth.throttled': define(429, 'Too many failed attempts', RETRY_LATER),
  'auth.registration_closed': define(403, 'Registration is closed', 'Ask the administrator for an account.'),
  'auth.forbidden': define(403, 'You do not have permission', 'Your account may not do this. Ask an administrator.'),
  'mfa.already_enabled': define(409, 'Two-factor sign-in is already on', 'Turn it off before you enrol again.'),
  'mfa.not_enrolled': define(409, 'Two-factor sign-in has not been set up', 'Start with POST /v1/auth/mfa/totp.'),
  'mfa.not_enabled': define(409, 'Two-factor sign-in is off', 'Only an account with two-factor sign-in can do this.'),
  'password.unfit': define(400, 'The password is not acceptable', 'Choose another password.'),

  // Domains
  'user.not_found': define(404, 'User not found', 'No user has this id.'),
  'user.last_admin': define(409, 'The last active admin cannot be removed', 'Give another user the role admin first.'),
  'session.not_found': define(404, 'Session not found', 'You have no active session with this id.'),
  'token.not_found': define(404, 'Connection not found', 'You have no connection with this id.'),
  'token.already_exists': define(
    409,
    'The connection already exists',
    'Another connection works for this organization.',
  ),
  'token.state_invalid': define(400, 'The authorization is unknown, used or expired', CONNECT),
  'token.authorization_denied': define(409, 'The provider did not authorize the connection', CONNECT),
  'token.reconnect_needed': define(409, 'The connection must be authorized again', CONNECT),
  'token.refresh_failed': define(503, 'The connection could not be refreshed', RETRY_LATER),
  'token.refresh_running': define(503, 'The connection is being refreshed', RETRY_LATER),
  'token.not_connected': define(409, 'Upwork is not connected', CONNECT),
  'sync.not_found': define(404, 'Sync not found', 'You have no sync with this id.'),
  'saved_search.not_found': define(404, 'Saved search not found', 'You have no saved search with this id.'),
  'saved_search.already_exists': define(409, 'The saved search already exists', 'Choose another name.'),
  'webhook.not_found': define(404, 'Webhook not found', 'You have no webhook with this id.'),
  'webhook.url_refused': define(422, 'The webhook URL is not allowed', 'Use an https:// URL of a public host.'),
  'webhook.delivery_not_found': define(404, 'Delivery not found', 'This webhook has no delivery with this id.'),
  'webhook.delivery_not_failed': define(409, 'The delivery has not failed', 'Only a failed delivery can be retried.'),
  'upwork.not_configured': define(
    503,
    'Upwork is not set up on this server',
    'The operator of this server sets UPWORK_CLIENT_ID and UPWORK_CLIENT_SECRET.',
  ),
  'upwork.permission_missing': define(
    409,
    'The API key lacks a permission of Upwork',
    'The owner of the API key must add the permission at Upwork.',
  ),
  'upwork.unavailable': define(503, 'Upwork is not available', 'Upwork does not answer. Try again in a few minutes.'),
  'job.not_found': define(404, 'Job not found', 'You have no job with this id.'),
  'job.already_exists': define(409, 'The job already exists', 'You already have this job, perhaps a deleted one.'),
  'job.wrong_status': define(409, 'The status of the job does not allow this', 'Change the status of the job first.'),
  'job.not_on_upwork': define(409, 'The job is not on Upwork', 'Set the upworkJobId of a job that Upwork shows you.'),
  'import.malformed': define(400, 'The file cannot be read', 'Check the format of the file.'),
  'import.too_many_rows': define(413, 'The import has too many rows', 'Split the file.'),
  'proposal.not_found': define(404, 'Proposal not found', 'You have no proposal with this id.'),
  'proposal.already_open': define(
    409,
    'The job already has an open proposal',
    'Continue with that proposal, or withdraw it first.',
  ),
  'proposal.incomplete': define(422, 'The proposal is incomplete', 'Fill in coverLetter, bidAmount and bidType.'),
  'proposal.not_draft': define(409, 'The proposal is not a draft', 'Only a draft may be changed.'),
  'proposal.wrong_step': define(409, 'The status of the proposal does not allow this', 'Read the proposal again.'),
  'template.not_found': define(404, 'Template not found', 'You have no template with this id.'),
  'template.already_exists': define(409, 'The template already exists', 'Choose another name.'),
  'ai.not_configured': define(503, 'AI is not set up on this server', 'The operator sets the key of an AI provider.'),
  'ai.model_unknown': define(422, 'The model is unknown', 'GET /v1/ai/models lists the models.'),
  'ai.model_unavailable': define(503, 'The model is not available', 'The operator sets the key of its provider.'),
  'ai.upwork_texts_forbidden': define(
    403,
    'This server sends no texts from Upwork to AI providers',
    'Describe the job in the instructions, without jobId.',
  ),
  'ai.budget_exceeded': define(
    402,
    'The AI budget is exceeded',
    'Raise it with PUT /v1/ai/budget, or wait until it renews.',
  ),
  'ai.installation_budget_exceeded': define(503, 'The AI budget of this server is exceeded', RETRY_LATER),
  'ai.budget_above_ceiling': define(422, 'The AI budget is above the limit of this server', 'Choose a lower budget.'),
  'ai.generation_not_found': define(404, 'Generation not found', 'You have no generation with this id.'),
  'ai.generation_not_ready': define(
    409,
    'The generation has no text to accept',
    'Only a succeeded generation can be accepted.',
  ),
  'ai.generation_failed': define(502, 'The AI provider wrote no text', 'Try again, or choose another model.'),
  'message.not_found': define(404, 'Message not found', 'You have no message with this id.'),
  'message.not_sendable': define(
    409,
    'The message cannot be sent now',
    'Only a message whose delivery is unknown or failed can be sent again.',
  ),
  'message.undecided': define(
    409,
    'The same message is still being sent',
    'Wait until its delivery is decided, send it again or discard it.',
  ),
  'conversation.not_found': define(404, 'Conversation not found', 'You have no conversation with this id.'),
  'audit.not_found': define(404, 'Record not found', 'The audit log has no record with this id.'),
  'audit.submission_invalid': define(
    400,
    'The submission is malformed',
    'Send an old size line, proof lines, an empty line and a signed checkpoint, as C2SP tlog-witness defines them.',
  ),
  'audit.log_unknown': define(404, 'The log is unknown', 'Ask the operator of this witness to add the key of the log.'),
  'audit.head_unsigned': define(
    403,
    'The checkpoint has no valid signature',
    'Sign it with the key that this witness has of the log.',
  ),
  'audit.head_inconsistent': define(
    422,
    'The checkpoint does not extend the last one',
    'Send a consistency proof from the last cosigned head. A log that was rewritten has none.',
  ),
  'audit.undo_refused': define(
    409,
    'The request cannot be undone',
    'Nothing was changed. `conflicts` says which changes prevent it.',
  ),
  'audit.version_incomplete': define(
    409,
    'The version cannot be restored',
    'The audit log no longer has all values of this version.',
  ),
  'audit.restore_conflict': define(
    409,
    'The version cannot be restored',
    'The version refers to a resource that no longer exists.',
  ),
  'audit.not_sealed': define(409, 'The row is not sealed yet', 'Repeat the request in a minute.'),
  'audit.verification_not_found': define(404, 'Verification not found', 'No verification of the logs has this id.'),
  'audit.verification_running': define(
    409,
    'Another verification is not finished',
    'Wait until it is finished, and repeat the request.',
  ),
  'encryption_key.not_found': define(404, 'Encryption key not found', 'No encryption key has this id.'),
  'encryption_key.in_use': define(
    409,
    'The encryption key is still in use',
    'Rotate the keys and wait until this one is unused.',
  ),
  'encryption_key.of_settings': define(409, 'The encryption keys come from the settings', 'Change ENCRYPTION_KEYS.'),
  'task.not_found': define(404, 'Task not found', 'No task has this id. GET /v1/admin/tasks lists the tasks.'),
  'alert.not_found': define(404, 'Alert not found', 'No open alert has this id.'),
  'task.run_not_found': define(404, 'Run not found', 'No task run has this id.'),
  'backup.not_found': define(404, 'Backup not found', 'No backup has this id.'),
  'backup.not_checkable': define(409, 'The backup cannot be verified now', 'Only a finished backup can be verified.'),
  'task.run_not_failed': define(409, 'The run has not failed', 'Only a failed or partly failed run can be retried.'),

  // The server
  internal: define(500, 'Internal server error', 'The error is logged. Quote the requestId when you report it.'),
  'service.unavailable': define(503, 'The service is busy or restarting', RETRY_LATER),
} as const satisfies Record<string, ErrorCodeDefinition>;

/** A code of the table. */
export type ErrorCode = keyof typeof ERROR_CODES;
