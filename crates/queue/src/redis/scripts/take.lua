-- Up to ARGV[3] entries that nobody has, for the consumer ARGV[2]: from the first of KEYS before the second.
-- Answers like XREADGROUP.
local taken, left = {}, tonumber(ARGV[3])
for _, key in ipairs(KEYS) do
  group_of(key)
  if left > 0 then
    local reply = redis.call('XREADGROUP', 'GROUP', GROUP, ARGV[2], 'COUNT', left, 'STREAMS', key, '>')
    if reply then
      taken[#taken + 1] = reply[1]
      left = left - #reply[1][2]
    end
  end
end
return taken
