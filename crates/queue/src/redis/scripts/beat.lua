-- Begins the lease of the entry ARGV[2] anew when it is pending for the consumer ARGV[3]: answers 1, else 0.
-- JUSTID: a heartbeat is no delivery, and must not count as one.
local pending = redis.pcall('XPENDING', KEYS[1], GROUP, ARGV[2], ARGV[2], 1)
if pending.err or not pending[1] or pending[1][2] ~= ARGV[3] then return 0 end
return #redis.call('XCLAIM', KEYS[1], GROUP, ARGV[3], 0, ARGV[2], 'JUSTID')
