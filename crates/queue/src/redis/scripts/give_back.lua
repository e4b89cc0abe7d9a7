-- Entries ARGV[3…] of the consumer ARGV[2] become waiting ones again, at the end of their stream.
for i = 3, #ARGV do
  local id = ARGV[i]
  local pending = redis.call('XPENDING', KEYS[1], GROUP, id, id, 1)
  if pending[1] and pending[1][2] == ARGV[2] then
    local found = redis.call('XRANGE', KEYS[1], id, id)
    if found[1] then redis.call('XADD', KEYS[1], '*', unpack(found[1][2])) end
    redis.call('XACK', KEYS[1], GROUP, id)
  end
end
trim(KEYS[1])
