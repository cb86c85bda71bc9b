import { createHash } from 'node:crypto'
import { headLayout } from '../entry/codec.js'

// Each script touches one key, so that it runs on a Cluster, and knows nothing but its arguments.

/** A script and the digest by which Redis knows it after the first time. */
export interface Script {
  readonly text: string
  readonly digest: string
}

function script(text: string): Script {
  return { text, digest: createHash('sha1').update(text).digest('hex') }
}

const { start, stamp, purgedAt, freshUntil, fingerprint, length } = headLayout
const range = ([from, to]: readonly [number, number]) => `${from}, ${to}`

/**
 * Reads the head of what lies under KEYS[1]: `isOurs`, and the numbers in it. A stranger's value of any type is not
 * ours, nor is one with a stamp later than the last argument: nobody can have given that by now.
 */
const readHead = `
local head = redis.pcall('GETRANGE', KEYS[1], 0, ${length - 1})
local isOurs = type(head) == 'string' and string.sub(head, 1, ${start.length}) == '${start}'
local stamp = isOurs and tonumber(string.sub(head, ${range(stamp)})) or 0
local purgedAt = isOurs and tonumber(string.sub(head, ${range(purgedAt)})) or 0
if math.max(stamp, purgedAt) > tonumber(ARGV[#ARGV]) then isOurs, stamp, purgedAt = false, 0, 0 end
`

/**
 * SET unless what is there is newer, was purged since, or is another version's. ARGV: text, stamp, fingerprint, now,
 * PX, latest. The outcome, and the stamp that stood in the way.
 */
export const setEntry = script(`${readHead}
if isOurs then
  local mine = tonumber(ARGV[2])
  if stamp > mine then return {'newer', string.sub(head, ${range(stamp)})} end
  if purgedAt >= mine then return {'purged', string.sub(head, ${range(purgedAt)})} end
  -- fresh for a process whose schema differs: it would not understand ours, so the two would take turns loading
  local isTheirs = string.sub(head, ${range(fingerprint)}) ~= ARGV[3]
  local isFresh = (tonumber(string.sub(head, ${range(freshUntil)})) or 0) > tonumber(ARGV[4])
  if isTheirs and isFresh and purgedAt < stamp then return {'other-schema', '0'} end
end
redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[5])
return {'stored', '0'}`)

/** The stamp of the entry, as text. ARGV: latest. */
export const readStamp = script(`${readHead}
return isOurs and purgedAt < stamp and string.sub(head, ${range(stamp)}) or ''`)

/**
 * Leaves a tombstone. ARGV: its text, its stamp as a number and as text, PX at least, channel, latest. It lives as long
 * as the entry would have, because copies of that may be in the memory of a process that does not hear us now. Those who
 * do are told which purge it was: by the time that they look, the tombstone may have been written over.
 */
export const purgeKeyHard = script(`${readHead}
redis.pcall('PUBLISH', ARGV[5], ARGV[3] .. KEYS[1])
if stamp > tonumber(ARGV[2]) then return 0 end
local left = redis.call('PTTL', KEYS[1])
local wasThere = left ~= -2 and (not isOurs or stamp > 0)
redis.call('SET', KEYS[1], ARGV[1], 'PX', string.format('%.0f', math.max(left, tonumber(ARGV[4]))))
-- a later purge, even a soft one, says until when: this one only makes it hard
if purgedAt > tonumber(ARGV[2]) then
  redis.call('SETRANGE', KEYS[1], ${purgedAt[0] - 1}, string.sub(head, ${range(purgedAt)}))
end
return wasThere and 1 or 0`)

/** Writes the purge into what of ours lies there, entry or tombstone, or leaves a tombstone. ARGV as above. */
export const purgeKeySoft = script(`${readHead}
if stamp > tonumber(ARGV[2]) or purgedAt > tonumber(ARGV[2]) then return 0 end
if not isOurs then
  redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[4])
  return 0
end
redis.call('SETRANGE', KEYS[1], ${purgedAt[0] - 1}, ARGV[3])
if redis.call('PTTL', KEYS[1]) < tonumber(ARGV[4]) then redis.call('PEXPIRE', KEYS[1], ARGV[4]) end
return stamp > 0 and 1 or 0`)

// The log of purges is one sorted set. The member with the score 0 is its name, drawn when it is made, and again when
// something is put back into it: who knows it under another name has to read all of it. (A set of this key that was
// lost comes back under another name.)

/**
 * Reads the log's \`named\`, the list of its name or none. What is no sorted set goes, or nothing could ever be purged
 * again; where it cannot, because the server takes no writes, that it is none remains the answer.
 */
const readName = `
local named = redis.pcall('ZRANGEBYSCORE', KEYS[1], 0, 0)
local isRubbish = named.err and string.find(named.err, 'WRONGTYPE') and 1 or 0
if named.err and (isRubbish == 0 or type(redis.pcall('DEL', KEYS[1])) == 'table') then return named end
if isRubbish == 1 then named = {} end
`

/**
 * The log's name, the purges, and whether something else had to go first. ARGV: name and stamp up to which it is known,
 * most members.
 */
export const readPurges = script(`${readName}
local name = named[1] or ''
local from = name == ARGV[1] and ARGV[2] or '(0'
return {name, redis.call('ZRANGEBYSCORE', KEYS[1], from, '+inf', 'WITHSCORES', 'LIMIT', 0, ARGV[3]), isRubbish}`)

/**
 * Adds members with a stamp later than all there are, so that whoever has read up to some stamp misses none: that
 * stamp, and whether something else had to go first. ARGV: stamp, most members, PX, a name if there is no log yet,
 * latest, then the members. Beyond the most, the oldest become a purge of everything that is older still.
 */
export const addPurges = script(`${readName}
redis.call('ZREMRANGEBYSCORE', KEYS[1], '(' .. ARGV[5], '+inf')
if #named == 0 then redis.call('ZADD', KEYS[1], 0, ARGV[4]) end
local top = tonumber(redis.call('ZREVRANGE', KEYS[1], 0, 0, 'WITHSCORES')[2])
local score = string.format('%.0f', math.max(tonumber(ARGV[1]), top + 1))
for at = 6, #ARGV do redis.call('ZADD', KEYS[1], score, ARGV[at]) end
local over = redis.call('ZCARD', KEYS[1]) - 1 - tonumber(ARGV[2])
if over > 0 then
  local oldest = redis.call('ZRANGE', KEYS[1], 1, over, 'WITHSCORES')
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
return {score, isRubbish}`)

/**
 * Puts purges back under their own stamps where the log has an earlier one or none. ARGV: PX, a new name, then member
 * and stamp by turns.
 */
export const restorePurges = script(`
local isNews = false
for at = 3, #ARGV, 2 do
  local known = redis.call('ZSCORE', KEYS[1], ARGV[at])
  if not known or tonumber(known) < tonumber(ARGV[at + 1]) then
    redis.call('ZADD', KEYS[1], ARGV[at + 1], ARGV[at])
    isNews = true
  end
end
if not isNews then return 0 end
redis.call('ZREMRANGEBYSCORE', KEYS[1], 0, 0)
redis.call('ZADD', KEYS[1], 0, ARGV[2])
redis.call('PEXPIRE', KEYS[1], ARGV[1])
return 1`)

/** Takes the lease if nobody has it, or something lies there that would never go away by itself. ARGV: token, PX. */
export const acquireLease = script(`
local holder = redis.pcall('GET', KEYS[1])
local isRubbish = type(holder) == 'table' or holder and redis.call('PTTL', KEYS[1]) == -1
if isRubbish or not holder then
  redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2])
  return isRubbish and 'acquired-corrupt' or 'acquired'
end
return string.sub(holder, 1, 1) == '!' and 'released' or 'held-elsewhere'`)

/** Lets it live on, if it is still ours. ARGV: token, PX. */
export const renewLease = script(`
if redis.call('GET', KEYS[1]) ~= ARGV[1] then return 0 end
return redis.call('PEXPIRE', KEYS[1], ARGV[2])`)

/** Gives it back, if it is still ours. ARGV: token, then PX of the word that is left for those who wait, or 0 for none. */
export const endLease = script(`
if redis.call('GET', KEYS[1]) ~= ARGV[1] then return 0 end
if ARGV[2] == '0' then return redis.call('DEL', KEYS[1]) end
redis.call('SET', KEYS[1], '!' .. ARGV[1], 'PX', ARGV[2])
return 1`)

/** Changes a key and leaves nothing behind: whoever is told of changes is told of this one. */
export const touch = script(`
redis.call('SET', KEYS[1], '', 'PX', 1000)
return redis.call('DEL', KEYS[1])`)

export const readTime = script(`return redis.call('TIME')`)
