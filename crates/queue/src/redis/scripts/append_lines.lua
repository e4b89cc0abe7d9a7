-- ARGV[2]: about how many lines to keep. ARGV[3…]: lines.
group_of(KEYS[1])
for i = 3, #ARGV do
  redis.call('XADD', KEYS[1], 'MAXLEN', '~', ARGV[2], '*', 'line', ARGV[i])
end
