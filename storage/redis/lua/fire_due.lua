-- Queues a tick for every deadline that is due, and pushes the deadline back
-- by a lease, in one step: of many replicas one queues it, and a tick that
-- nobody handles comes again.
--
-- KEYS[1] sorted set of deadlines
-- KEYS[2] stream of stage tasks
-- ARGV[1] now, Unix ms
-- ARGV[2] end of the lease, Unix ms
-- ARGV[3] how many at most
-- Returns how many were queued.
local due = redis.call('ZRANGEBYSCORE', KEYS[1], '-inf', ARGV[1], 'LIMIT', 0, ARGV[3])
for _, n in ipairs(due) do
  redis.call('ZADD', KEYS[1], ARGV[2], n)
  redis.call('XADD', KEYS[2], '*', 'kind', 'tick', 'key', n, 'body', '')
end
return #due
