/**
 * Notes that a session was used and moves its idle end; does nothing when the session is over, so that a late note does
 * not bring a piece of it back.
 * KEYS: session. ARGV: now, idle end (both ms).
 */
export const TOUCH = `
local ends = redis.call('HGET', KEYS[1], 'ends')
if not ends then return 0 end
redis.call('HSET', KEYS[1], 'seen', ARGV[1])
redis.call('PEXPIREAT', KEYS[1], math.min(tonumber(ends), tonumber(ARGV[2])))
return 1`;

/**
 * Replaces a session's refresh token, once. Another use of the old one within the grace gets the pair the first use got;
 * a later one is told as reuse.
 * KEYS: session, pair of the presented token. ARGV: presented hash, new hash, sealed new pair, grace (ms), now, idle end.
 * Returns {outcome, sealed pair or ''}.
 */
export const ROTATE = `
local session = redis.call('HMGET', KEYS[1], 'refresh', 'ends')
if not session[1] then return {'gone', ''} end
if session[1] == ARGV[1] then
  redis.call('HSET', KEYS[1], 'refresh', ARGV[2], 'seen', ARGV[5])
  redis.call('PEXPIREAT', KEYS[1], math.min(tonumber(session[2]), tonumber(ARGV[6])))
  redis.call('SET', KEYS[2], ARGV[3], 'PX', ARGV[4])
  return {'rotated', ARGV[3]}
end
local pair = redis.call('GET', KEYS[2])
if pair then return {'repeated', pair} end
return {'reused', ''}`;

/** Sets one field of a session that still lives. KEYS: session. ARGV: field, value. */
export const SET_FIELD = `
if redis.call('EXISTS', KEYS[1]) == 0 then return 0 end
redis.call('HSET', KEYS[1], ARGV[1], ARGV[2])
return 1`;
