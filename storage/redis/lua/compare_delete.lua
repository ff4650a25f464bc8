-- Deletes a key only while it holds the value that the caller put there.
--
-- KEYS[1] the key
-- ARGV[1] the value
-- Returns 1 where it was deleted, 0 where it was not.
if redis.call('GET', KEYS[1]) == ARGV[1] then
  return redis.call('DEL', KEYS[1])
end
return 0
