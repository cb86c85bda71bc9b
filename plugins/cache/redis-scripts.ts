import { headLayout } from './entry.js'

// Each script touches one key, so that it runs on a Cluster, and knows nothing but its arguments.

const { start, stamp, purgedAt, freshUntil, fingerprint, length } = headLayout
const range = ([from, to]: readonly [number, number]) => `${from}, ${to}`

/** Reads the head of what lies under KEYS[1]: `isOurs`, and the numbers in it. A stranger's value of any type is not ours. */
const readHead = `
local head = redis.pcall('GETRANGE', KEYS[1], 0, ${length - 1})
local isOurs = type(head) == 'string' and string.sub(head, 1, ${start.length}) == '${start}'
local stamp = isOurs and tonumber(string.sub(head, ${range(stamp)})) or 0
local purgedAt = isOurs and tonumber(string.sub(head, ${range(purgedAt)})) or 0
`

/** SET unless what is there is newer, was purged since, or is another version's. ARGV: text, stamp, fingerprint, now, PX. */
export const setEntry = `${readHead}
if isOurs then
  local mine = tonumber(ARGV[2])
  if stamp > mine then return 'newer' end
  if purgedAt >= mine then return 'purged' end
  -- fresh for a process whose schema differs: it would not understand ours, so the two would take turns loading
  local isTheirs = string.sub(head, ${range(fingerprint)}) ~= ARGV[3]
  local isFresh = (tonumber(string.sub(head, ${range(freshUntil)})) or 0) > tonumber(ARGV[4])
  if isTheirs and isFresh and purgedAt < stamp then return 'other-schema' end
end
redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[5])
return 'kept'`

/** The stamp of the entry, as text. */
export const readStamp = `${readHead}
return isOurs and purgedAt < stamp and string.sub(head, ${range(stamp)}) or ''`

/**
 * Leaves a tombstone. ARGV: its text, its stamp as a number, PX at least. It lives as long as the entry would have, because copies of
 * that may be in the memory of a process that does not hear us now.
 */
export const purgeKeyHard = `${readHead}
local mine = tonumber(ARGV[2])
if stamp > mine or purgedAt > mine then return 0 end
local left = redis.call('PTTL', KEYS[1])
local wasThere = left ~= -2 and (not isOurs or stamp > 0)
redis.call('SET', KEYS[1], ARGV[1], 'PX', string.format('%.0f', math.max(left, tonumber(ARGV[3]))))
return wasThere and 1 or 0`

/** Writes the purge into the entry where it lies, or leaves a tombstone where none does. ARGV as above, then the stamp's text. */
export const purgeKeySoft = `${readHead}
local mine = tonumber(ARGV[2])
if stamp > mine or purgedAt > mine then return 0 end
if stamp > 0 then
  redis.call('SETRANGE', KEYS[1], ${purgedAt[0] - 1}, ARGV[4])
  return 1
end
redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[3])
return 0`

/** The purges after ARGV[1], and those of everything, which are moved without a newer stamp. */
export const readPurges = `
return redis.call('ZRANGEBYSCORE', KEYS[1], ARGV[1], '+inf', 'WITHSCORES')`

/**
 * Adds members with a stamp later than all there are, so that whoever has read up to some stamp misses none. ARGV: stamp, most
 * members, PX, then the members. Beyond the most, the oldest become a purge of everything that is older still.
 */
export const addPurges = `
local top = redis.call('ZREVRANGE', KEYS[1], 0, 0, 'WITHSCORES')[2]
local stamp = math.max(tonumber(ARGV[1]), top and tonumber(top) + 1 or 0)
local score = string.format('%.0f', stamp)
for at = 4, #ARGV do redis.call('ZADD', KEYS[1], score, ARGV[at]) end
local over = redis.call('ZCARD', KEYS[1]) - tonumber(ARGV[2])
if over > 0 then
  local oldest = redis.call('ZRANGE', KEYS[1], 0, over - 1, 'WITHSCORES')
  for at = 1, #oldest, 2 do
    local floor = string.sub(oldest[at], 1, 1) .. '*'
    if oldest[at] ~= floor then
      redis.call('ZREM', KEYS[1], oldest[at])
      local known = redis.call('ZSCORE', KEYS[1], floor)
      if not known or tonumber(known) < tonumber(oldest[at + 1]) then
        redis.call('ZADD', KEYS[1], oldest[at + 1], floor)
      end
    end
  end
end
redis.call('PEXPIRE', KEYS[1], ARGV[3])
return score`

/**
 * Puts purges back under their own stamps where the log has an earlier one or none. ARGV: PX, then member and stamp by turns. The
 * member \`~\` with a new stamp tells those who read on from where they were to read everything again.
 */
export const restorePurges = `
local top = redis.call('ZREVRANGE', KEYS[1], 0, 0, 'WITHSCORES')[2]
local latest = top and tonumber(top) or 0
for at = 2, #ARGV, 2 do
  local known = redis.call('ZSCORE', KEYS[1], ARGV[at])
  if not known or tonumber(known) < tonumber(ARGV[at + 1]) then
    redis.call('ZADD', KEYS[1], ARGV[at + 1], ARGV[at])
  end
  latest = math.max(latest, tonumber(ARGV[at + 1]))
end
redis.call('ZADD', KEYS[1], string.format('%.0f', latest + 1), '~')
redis.call('PEXPIRE', KEYS[1], ARGV[1])
return 1`

/** Takes the lease if nobody has it. ARGV: token, PX. */
export const acquireLease = `
local holder = redis.call('GET', KEYS[1])
if not holder then
  redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2])
  return 'mine'
end
return string.sub(holder, 1, 1) == '!' and 'passed' or 'theirs'`

/** Lets it live on, if it is still ours. ARGV: token, PX. */
export const renewLease = `
if redis.call('GET', KEYS[1]) ~= ARGV[1] then return 0 end
return redis.call('PEXPIRE', KEYS[1], ARGV[2])`

/** Gives it back, if it is still ours. ARGV: token, then PX of the word that is left for those who wait, or 0 for none. */
export const endLease = `
if redis.call('GET', KEYS[1]) ~= ARGV[1] then return 0 end
if ARGV[2] == '0' then return redis.call('DEL', KEYS[1]) end
redis.call('SET', KEYS[1], '!' .. ARGV[1], 'PX', ARGV[2])
return 1`

/** Changes a key and leaves nothing behind: whoever is told of changes is told of this one. */
export const touch = `
redis.call('SET', KEYS[1], '', 'PX', 1000)
return redis.call('DEL', KEYS[1])`

export const readTime = `return redis.call('TIME')`
