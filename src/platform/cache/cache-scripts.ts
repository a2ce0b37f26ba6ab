/**
 * Returns what stands under a key, and puts the given value there when nothing does.
 * KEYS: key. ARGV: value, life (s).
 */
export const STANDS_OR_PUT = `
local stands = redis.call('GET', KEYS[1])
if stands then return stands end
redis.call('SET', KEYS[1], ARGV[1], 'EX', ARGV[2])
return ARGV[1]`;

/**
 * Gives tenants a new version, each for a change that nobody has done it for yet: every process hears of each change.
 * KEYS: of each change the tenant's version and the claim of the change. ARGV: channel, token, life of a version, life of
 * a claim (both s), then of each change the tenant.
 * Returns how many were new.
 */
export const BUMP_UNCLAIMED = `
local bumped = 0
for i = 1, #KEYS, 2 do
  if redis.call('SET', KEYS[i + 1], '', 'NX', 'EX', ARGV[4]) then
    redis.call('SET', KEYS[i], ARGV[2], 'EX', ARGV[3])
    redis.call('PUBLISH', ARGV[1], ARGV[4 + (i + 1) / 2] .. ':' .. ARGV[2])
    bumped = bumped + 1
  end
end
return bumped`;
