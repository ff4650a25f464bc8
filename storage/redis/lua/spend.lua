-- Takes one of the customer-service messages that WeChat allows a person now:
-- 5 within 48 hours of a message, 3 within a minute of a click, scan or
-- follow.
--
-- KEYS[1] hash of the send window: m, c = Unix ms of the last message and
--         click; mn, cn = messages sent since
-- ARGV[1] now, Unix ms
-- ARGV[2] "" or the record's window "m,c,mn,cn", used where the hash is missing or
--         has not heard of the last message or click
-- ARGV[3] ms that a window is kept
-- Returns 1 taken, 0 none left, -1 the record's window is needed.
if redis.call('EXISTS', KEYS[1]) == 0 then
  if ARGV[2] == '' then
    return -1
  end
  redis.call('HSET', KEYS[1], 'm', 0, 'c', 0)
  redis.call('PEXPIRE', KEYS[1], ARGV[3])
end
if ARGV[2] ~= '' then
  local have = redis.call('HMGET', KEYS[1], 'm', 'c')
  local m, c, mn, cn = string.match(ARGV[2], '^(%d+),(%d+),(%d+),(%d+)$')
  if tonumber(m) > tonumber(have[1] or 0) then
    redis.call('HSET', KEYS[1], 'm', m, 'mn', mn)
    redis.call('PEXPIRE', KEYS[1], ARGV[3])
  end
  if tonumber(c) > tonumber(have[2] or 0) then
    redis.call('HSET', KEYS[1], 'c', c, 'cn', cn)
  end
end
local w = redis.call('HMGET', KEYS[1], 'm', 'mn', 'c', 'cn')
local now = tonumber(ARGV[1])
if now - tonumber(w[1] or 0) < 172800000 and tonumber(w[2] or 0) < 5 then
  redis.call('HINCRBY', KEYS[1], 'mn', 1)
  return 1
end
if now - tonumber(w[3] or 0) < 60000 and tonumber(w[4] or 0) < 3 then
  redis.call('HINCRBY', KEYS[1], 'cn', 1)
  return 1
end
return 0
