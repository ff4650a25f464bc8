-- A rate limit: at most so many within a fixed window that begins with the
-- first.
--
-- KEYS[1] the counter
-- ARGV[1] how many
-- ARGV[2] the window, ms
-- ARGV[3] as how many this one counts
-- Returns 1 where it is allowed, 0 where it is not.
local n = redis.call('INCRBY', KEYS[1], ARGV[3])
if n == tonumber(ARGV[3]) then
  redis.call('PEXPIRE', KEYS[1], ARGV[2])
end
return n <= tonumber(ARGV[1]) and 1 or 0
