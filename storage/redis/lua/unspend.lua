-- Gives back a customer-service message that never left.
--
-- KEYS[1] hash of the send window, see spend.lua
-- ARGV[1] now, Unix ms
-- Returns 1 where something was given back, 0 where nothing was.
local w = redis.call('HMGET', KEYS[1], 'm', 'mn', 'c', 'cn')
local now = tonumber(ARGV[1])
local message = now - tonumber(w[1] or 0) < 172800000
local click = now - tonumber(w[3] or 0) < 60000
local mn, cn = tonumber(w[2] or 0), tonumber(w[4] or 0)
-- A click's messages are taken once a message's are used up: last in, first out.
if click and cn > 0 and (not message or mn >= 5) then
  redis.call('HINCRBY', KEYS[1], 'cn', -1)
  return 1
end
if message and mn > 0 then
  redis.call('HINCRBY', KEYS[1], 'mn', -1)
  return 1
end
return 0
