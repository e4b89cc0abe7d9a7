-- A page of ARGV[3] entries from the id ARGV[2] on, without those that are acknowledged behind an older pending one.
-- Answers where the next page starts ('' for nowhere), and task id, attempt, task id, attempt, …
local read_ms, read_sequence = parts(group_of(KEYS[1])['last-delivered-id'])
local count = tonumber(ARGV[3])
local entries = redis.call('XRANGE', KEYS[1], ARGV[2], '+', 'COUNT', count)
local found = {}
for _, entry in ipairs(entries) do
  local id, fields = entry[1], entry[2]
  local ms, sequence = parts(id)
  local waiting = ms > read_ms or (ms == read_ms and sequence > read_sequence)
  if waiting or redis.call('XPENDING', KEYS[1], GROUP, id, id, 1)[1] then
    local named = {}
    for i = 1, #fields, 2 do named[fields[i]] = fields[i + 1] end
    found[#found + 1] = named.id or ''
    found[#found + 1] = named.attempt or '0'
  end
end
local next_page = ''
if #entries == count then next_page = '(' .. entries[count][1] end
return { next_page, found }
