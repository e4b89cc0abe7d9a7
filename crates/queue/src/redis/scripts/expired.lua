-- A page of ARGV[4] pending entries that nobody has beaten for since ARGV[2] ms, from the id ARGV[3] on.
-- Answers where the next page starts ('' for nowhere), and entries like XRANGE.
group_of(KEYS[1])
local count = tonumber(ARGV[4])
local pending = redis.call('XPENDING', KEYS[1], GROUP, 'IDLE', ARGV[2], ARGV[3], '+', count)
local next_page = ''
if #pending == count then next_page = '(' .. pending[count][1] end
return { next_page, payloads(KEYS[1], pending) }
