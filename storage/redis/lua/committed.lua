-- Follows one change of the record: live state, deadlines, loads, windows,
-- conversation, queues. Idempotent by version: an older state never replaces
-- a newer one, so calls may come late or twice.
--
-- KEYS[1] sorted set of deadlines: member ticket number, score Unix ms
-- KEYS[2] hash of loads: field person, value open tickets that they own
-- KEYS[3] stream of urgent pushes
-- KEYS[4] stream of pushes
-- KEYS[5] stream of stage tasks
-- KEYS[6] hash of the conversation (fields v, s)
-- KEYS[7] hash of the send window (fields m, mn, c, cn)
-- KEYS[8] channel on which other processes hear of it
-- KEYS[9…] hashes of live tickets (fields v, o, b), as many as ARGV[1].tickets
-- ARGV[1] JSON: {tickets: [{n, v, owner, due, body}], talk: {v, s}, opened: {m, c},
--         pushes: [{key, urgent, lane}], tasks: [{kind, key, lane}], notice}; owner "" = nobody's,
--         due 0 = none, body "" = ended, notice = what is told, a text
-- ARGV[2] ms that an ended ticket's version is remembered
-- ARGV[3] ms that a conversation is kept
-- ARGV[4] ms that a send window is kept
-- Returns the number of tickets whose state was newer.
local change = cjson.decode(ARGV[1])
local newer = 0
for i, t in ipairs(change.tickets) do
  local key = KEYS[8 + i]
  local have = redis.call('HMGET', key, 'v', 'o')
  if not have[1] or tonumber(have[1]) < t.v then
    newer = newer + 1
    local was = have[2] or ''
    if was ~= t.owner then
      if was ~= '' and redis.call('HINCRBY', KEYS[2], was, -1) <= 0 then
        redis.call('HDEL', KEYS[2], was)
      end
      if t.owner ~= '' then
        redis.call('HINCRBY', KEYS[2], t.owner, 1)
      end
    end
    redis.call('HSET', key, 'v', t.v, 'o', t.owner, 'b', t.body)
    if t.body == '' then
      redis.call('PEXPIRE', key, ARGV[2])
    else
      redis.call('PERSIST', key)
    end
  end
  if not have[1] or tonumber(have[1]) <= t.v then
    if t.due > 0 then
      redis.call('ZADD', KEYS[1], t.due, t.n)
    else
      redis.call('ZREM', KEYS[1], t.n)
    end
  end
end
if change.talk then
  local have = redis.call('HGET', KEYS[6], 'v')
  if not have or tonumber(have) < change.talk.v then
    redis.call('HSET', KEYS[6], 'v', change.talk.v, 's', change.talk.s)
    redis.call('PEXPIRE', KEYS[6], ARGV[3])
  end
end
if change.opened then
  -- Late news, or the same twice, must not give back what was spent since.
  local window = redis.call('HMGET', KEYS[7], 'm', 'c')
  if change.opened.m > tonumber(window[1] or 0) then
    redis.call('HSET', KEYS[7], 'm', change.opened.m, 'mn', 0)
    redis.call('PEXPIRE', KEYS[7], ARGV[4])
  end
  -- A click alone must not hide a message window that only the record knows.
  if change.opened.c > tonumber(window[2] or 0) and redis.call('EXISTS', KEYS[7]) == 1 then
    redis.call('HSET', KEYS[7], 'c', change.opened.c, 'cn', 0)
  end
end
for _, p in ipairs(change.pushes) do
  redis.call('XADD', p.urgent and KEYS[3] or KEYS[4], '*', 'kind', 'push', 'key', p.key, 'body', '', 'lane', p.lane)
end
for _, t in ipairs(change.tasks) do
  redis.call('XADD', KEYS[5], '*', 'kind', t.kind, 'key', t.key, 'body', '', 'lane', t.lane)
end
if change.notice then
  redis.call('PUBLISH', KEYS[8], change.notice)
end
return newer
