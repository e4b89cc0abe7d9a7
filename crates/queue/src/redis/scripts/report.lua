-- What one stream holds and who takes from it: waiting, pending, age of the oldest in ms, and per consumer its name, what
-- it holds and since when it has not asked, in ms.
local group = group_of(KEYS[1])
local waiting = group.lag or math.max(0, redis.call('XLEN', KEYS[1]) - group.pending)
local oldest = 0
local first = redis.call('XRANGE', KEYS[1], '-', '+', 'COUNT', 1)[1]
if first then
  local now = redis.call('TIME')
  oldest = math.max(0, now[1] * 1000 + math.floor(now[2] / 1000) - parts(first[1]))
end
local consumers = {}
for _, flat in ipairs(redis.call('XINFO', 'CONSUMERS', KEYS[1], GROUP)) do
  local consumer = {}
  for i = 1, #flat, 2 do consumer[flat[i]] = flat[i + 1] end
  consumers[#consumers + 1] = { consumer.name, consumer.pending, consumer.idle }
end
return { waiting, group.pending, oldest, consumers }
