-- The oldest ARGV[3] entries that are not acknowledged: pending ones first, whoever was given them, then new ones.
-- There is one reader at a time, and who reads may acknowledge: so nothing need be claimed from a reader that died.
-- Answers the last id ever delivered before this, and entries like XRANGE.
local last = group_of(KEYS[1])['last-delivered-id']
local max = tonumber(ARGV[3])
local entries = payloads(KEYS[1], redis.call('XPENDING', KEYS[1], GROUP, '-', '+', max))
if #entries < max then
  local reply = redis.call('XREADGROUP', 'GROUP', GROUP, ARGV[2], 'COUNT', max - #entries, 'STREAMS', KEYS[1], '>')
  if reply then
    for _, entry in ipairs(reply[1][2]) do entries[#entries + 1] = entry end
  end
end
return { last, entries }
