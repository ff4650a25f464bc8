-- A rate limit: at most so many within a fixed window that begins with the
-- first.
--
-- KEYS[1] the counter
-- ARGV[1] how many
-- ARGV[2] the window, ms
-- Returns 1 where it is allowed, 0 where it is not.
local n = redis.call('INCR', KEYS[1])
if n == 1 then
  redis.call('PEXPIRE', KEYS[1], ARGV[2])
end
return n <= tonumber(ARGV[1]) and 1 or 0
