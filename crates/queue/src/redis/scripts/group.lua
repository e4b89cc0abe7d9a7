-- Stands before every other script. ARGV[1] is always the group.
local GROUP = ARGV[1]

-- What XINFO says of our group on a stream, as a table. Makes stream and group where they are missing, so that a server
-- that was emptied needs no other care.
local function group_of(key)
  local groups = redis.pcall('XINFO', 'GROUPS', key)
  if not groups.err then
    for _, flat in ipairs(groups) do
      local group = {}
      for i = 1, #flat, 2 do group[flat[i]] = flat[i + 1] end
      if group.name == GROUP then return group end
    end
  end
  redis.call('XGROUP', 'CREATE', key, GROUP, '0', 'MKSTREAM')
  return { pending = 0, lag = redis.call('XLEN', key), ['last-delivered-id'] = '0-0' }
end

-- Waiting and pending. Not XLEN: that counts what is acknowledged behind an older entry that is still pending. A lag
-- that the server cannot tell is taken for the whole stream.
local function held(key)
  local group = group_of(key)
  return group.pending + (group.lag or redis.call('XLEN', key))
end

local function parts(id)
  local ms, sequence = string.match(id, '^(%d+)-(%d+)$')
  return tonumber(ms), tonumber(sequence)
end

local function next_after(id)
  local ms, sequence = parts(id)
  return string.format('%.0f-%.0f', ms, sequence + 1)
end

-- Removes the acknowledged prefix: up to the oldest pending entry, or up to the last delivered one where none is. What
-- was never delivered comes after both.
local function trim(key)
  local oldest = redis.call('XPENDING', key, GROUP, '-', '+', 1)
  local keep = oldest[1] and oldest[1][1] or next_after(group_of(key)['last-delivered-id'])
  redis.call('XTRIM', key, 'MINID', keep)
end

-- The entries behind some lines of XPENDING, each with who holds it as one more field. One whose payload is gone can
-- never be worked on: it is acknowledged away.
local function payloads(key, pending)
  local entries = {}
  for _, line in ipairs(pending) do
    local found = redis.call('XRANGE', key, line[1], line[1])
    if found[1] then
      local fields = found[1][2]
      fields[#fields + 1] = 'holder'
      fields[#fields + 1] = line[2]
      entries[#entries + 1] = found[1]
    else
      redis.call('XACK', key, GROUP, line[1])
    end
  end
  return entries
end
