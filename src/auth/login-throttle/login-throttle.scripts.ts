/**
 * Returns how many milliseconds the next attempt must wait for a bucket, a sorted set of the last hour's failure times.
 * Up to the limit in 15 minutes there is no wait. Beyond it attempts wait 1, 2, 4 … minutes. At 4/3 of the limit in an
 * hour they wait until the oldest failure is an hour old.
 */
const WAIT_FUNCTION = `
local function wait(key, limit, now)
  redis.call('ZREMRANGEBYSCORE', key, '-inf', now - 3600000)
  local longest = 0
  if redis.call('ZCARD', key) >= math.ceil(limit * 4 / 3) then
    longest = redis.call('ZRANGE', key, 0, 0, 'WITHSCORES')[2] + 3600000 - now
  end
  local recent = redis.call('ZCOUNT', key, now - 900000, '+inf')
  if recent >= limit then
    local last = redis.call('ZRANGE', key, -1, -1, 'WITHSCORES')[2]
    longest = math.max(longest, last + 60000 * 2 ^ math.min(recent - limit, 5) - now)
  end
  return longest
end`;

/**
 * Records an attempt as failed in advance, so that parallel attempts cannot outrun the count; a success removes it.
 * KEYS: buckets. ARGV: now, the attempt's name, one limit per bucket. Returns 0, or the wait in ms without recording.
 */
export const RECORD_ATTEMPT = `${WAIT_FUNCTION}
local now = tonumber(ARGV[1])
local longest = 0
for i, key in ipairs(KEYS) do longest = math.max(longest, wait(key, tonumber(ARGV[2 + i]), now)) end
if longest > 0 then return math.ceil(longest) end
for _, key in ipairs(KEYS) do
  redis.call('ZADD', key, now, ARGV[2])
  redis.call('PEXPIRE', key, 3600000)
end
return 0`;

/**
 * Records a sign-in attempt as RECORD_ATTEMPT does. An attempt from a known device of the account counts only in that
 * device's bucket, so that strangers cannot lock out the owner.
 * KEYS: the account's bucket, the address's, this device's, the account's known devices.
 * ARGV: now, the attempt's name, limit of account and device, limit of the address, the device.
 */
export const RECORD_SIGN_IN_ATTEMPT = `${WAIT_FUNCTION}
local now = tonumber(ARGV[1])
local buckets = {{KEYS[1], ARGV[3]}, {KEYS[2], ARGV[4]}}
if redis.call('ZSCORE', KEYS[4], ARGV[5]) then buckets = {{KEYS[3], ARGV[3]}} end
local longest = 0
for _, bucket in ipairs(buckets) do longest = math.max(longest, wait(bucket[1], tonumber(bucket[2]), now)) end
if longest > 0 then return math.ceil(longest) end
for _, bucket in ipairs(buckets) do
  redis.call('ZADD', bucket[1], now, ARGV[2])
  redis.call('PEXPIRE', bucket[1], 3600000)
end
return 0`;

/** Removes a recorded attempt. KEYS: buckets. ARGV: the attempt's name. */
export const CLEAR_ATTEMPT = `for _, key in ipairs(KEYS) do redis.call('ZREM', key, ARGV[1]) end return 0`;

/** Stores a known device. KEYS: known devices. ARGV: now, device, maximum number of devices, lifetime (ms). */
export const REMEMBER_DEVICE = `
redis.call('ZADD', KEYS[1], ARGV[1], ARGV[2])
redis.call('ZREMRANGEBYRANK', KEYS[1], 0, -1 - ARGV[3])
redis.call('PEXPIRE', KEYS[1], ARGV[4])
return 0`;

/** Counts uses per hour. KEYS: counter. ARGV: limit. Returns 0, or the wait in ms when the limit is reached. */
export const COUNT_USE = `
local uses = redis.call('INCR', KEYS[1])
if uses == 1 then redis.call('PEXPIRE', KEYS[1], 3600000) end
if uses > tonumber(ARGV[1]) then return math.max(1, redis.call('PTTL', KEYS[1])) end
return 0`;
