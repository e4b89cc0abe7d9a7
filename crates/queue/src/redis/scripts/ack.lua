-- Acknowledges the entries ARGV[2…], whoever has them, and removes the acknowledged prefix.
local acknowledged = 0
for i = 2, #ARGV do
  acknowledged = acknowledged + redis.call('XACK', KEYS[1], GROUP, ARGV[i])
end
if acknowledged > 0 then trim(KEYS[1]) end
