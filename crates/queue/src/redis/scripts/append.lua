-- KEYS[1]: where to. All KEYS together hold at most ARGV[2] entries. ARGV[3…]: field, value, …
-- Answers 1, or 0 when there is no room.
local count = 0
for _, key in ipairs(KEYS) do count = count + held(key) end
if count >= tonumber(ARGV[2]) then return 0 end
redis.call('XADD', KEYS[1], '*', unpack(ARGV, 3))
return 1
