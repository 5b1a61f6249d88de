-- Corrects what was taken. KEYS: the message's own, then one of each correction. ARGV: the epoch that times count from,
-- then three of each:
--   "rate",   microseconds to charge (or, below zero, to give back), the most that it may be in debt
--   "budget", nano-dollars to charge or to give back, ""
--   "place",  who leaves, ""
--   "lease",  who stays, seconds of the lease
--   "undo",   how many of what follows gives back what the call of this key took, if it took it: nobody heard, ""
-- What is not there was forgotten since, with all that was taken of it: there is nothing to correct.
local time = redis.call('TIME')
local now = (tonumber(time[1]) - tonumber(ARGV[1])) * 1000000 + tonumber(time[2])

-- Sent again by somebody who did not hear that it was done.
if not redis.call('SET', KEYS[1], 'done', 'NX', 'EX', 600) then return redis.status_reply('OK') end

local skip = 0
local function undo(key, count)
  if redis.call('GET', key) ~= 'taken' then
    skip = tonumber(count)
    redis.call('SET', key, 'given up', 'EX', 600)
  else
    redis.call('DEL', key)
  end
end

for index = 1, #KEYS - 1 do
  local key = KEYS[index + 1]
  local kind, amount, more = ARGV[index * 3 - 1], ARGV[index * 3], ARGV[index * 3 + 1]
  if skip > 0 then
    skip = skip - 1
  elseif kind == 'undo' then
    undo(key, amount)
  elseif kind == 'rate' then
    local known = redis.call('GET', key)
    local delta = tonumber(amount)
    if known or delta > 0 then
      local free_at = math.max(tonumber(known or '0'), now) + delta
      free_at = math.min(free_at, now + tonumber(more))
      local milliseconds = math.ceil((free_at - now) / 1000) + 1
      if milliseconds > 1 then
        redis.call('SET', key, string.format('%.3f', free_at), 'PX', string.format('%.0f', milliseconds))
      else
        redis.call('DEL', key)
      end
    end
  elseif kind == 'budget' then
    if redis.call('EXISTS', key) == 1 then redis.call('INCRBY', key, amount) end
  elseif kind == 'place' then
    redis.call('ZREM', key, amount)
  else
    redis.call('ZADD', key, 'XX', string.format('%.0f', now + tonumber(more) * 1000000), amount)
    redis.call('EXPIRE', key, more)
  end
end
return redis.status_reply('OK')
