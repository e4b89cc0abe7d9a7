-- Up to ARGV[3] entries, which are gone then. Answers the last id ever delivered before this, and entries like XRANGE.
local last = group_of(KEYS[1])['last-delivered-id']
local reply = redis.call('XREADGROUP', 'GROUP', GROUP, ARGV[2], 'COUNT', ARGV[3], 'NOACK', 'STREAMS', KEYS[1], '>')
if not reply then return { last, {} } end
trim(KEYS[1])
return { last, reply[1][2] }
