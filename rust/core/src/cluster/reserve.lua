-- Takes all of the claims, or none. KEYS: the call's own, then one of each claim. ARGV: the epoch that times count from,
-- then five of each:
--   "rate",   microseconds that it costs, microseconds that a full bucket holds, "", ""
--   "budget", nano-dollars to hold, the budget ("" = it only counts), what is committed if nobody knows better, Unix seconds of its end
--   "place",  places in all, who takes one, seconds of the lease, ""
-- Returns {0, what is left of each…} or {which claim is refused, microseconds until it may be asked again, how it stands}.
local time = redis.call('TIME')
local now = (tonumber(time[1]) - tonumber(ARGV[1])) * 1000000 + tonumber(time[2])
local found, left = {}, {0}

local function argument(claim, index) return ARGV[1 + (claim - 1) * 5 + index] end

-- Nobody waits for the answer any more, and what it took was given back before it came.
if redis.call('EXISTS', KEYS[1]) == 1 then return redis.error_reply('ERR given up') end

for claim = 1, #KEYS - 1 do
  local key, kind = KEYS[claim + 1], argument(claim, 1)
  if kind == 'rate' then
    local full = tonumber(argument(claim, 3))
    local free_at = math.max(tonumber(redis.call('GET', key) or '0'), now) + tonumber(argument(claim, 2))
    -- A tenth of a microsecond is below what the clock can tell: what is over by less came of rounding.
    if free_at - now > full + 0.1 then
      return {claim, string.format('%.0f', math.ceil(free_at - now - full)), '0'}
    end
    found[claim] = free_at
    left[claim + 1] = string.format('%.3f', full - (free_at - now))
  elseif kind == 'budget' then
    local committed = redis.call('GET', key)
    if not committed then committed = argument(claim, 4) end
    local budget = argument(claim, 3)
    if budget ~= '' and tonumber(committed) + tonumber(argument(claim, 2)) > tonumber(budget) then
      return {claim, '0', committed}
    end
    left[claim + 1] = committed
  else
    redis.call('ZREMRANGEBYSCORE', key, '-inf', now)
    local taken = redis.call('ZCARD', key)
    if taken >= tonumber(argument(claim, 2)) then return {claim, '0', tostring(taken)} end
    left[claim + 1] = tostring(taken)
  end
end

redis.call('SET', KEYS[1], 'taken', 'EX', 10)
for claim = 1, #KEYS - 1 do
  local key, kind = KEYS[claim + 1], argument(claim, 1)
  if kind == 'rate' then
    local milliseconds = math.ceil((found[claim] - now) / 1000) + 1
    redis.call('SET', key, string.format('%.3f', found[claim]), 'PX', string.format('%.0f', milliseconds))
  elseif kind == 'budget' then
    redis.call('SET', key, argument(claim, 4), 'NX', 'EXAT', argument(claim, 5))
    -- In Redis itself, since a number of Lua would lose nano-dollars above nine million dollars.
    redis.call('INCRBY', key, argument(claim, 2))
  else
    local lease = tonumber(argument(claim, 4))
    redis.call('ZADD', key, string.format('%.0f', now + lease * 1000000), argument(claim, 3))
    redis.call('EXPIRE', key, lease)
  end
end
return left
