import { createHash } from 'node:crypto'
import { headLayout } from '../entry/codec.js'

// Each script uses one key, so that it runs on a Cluster, and depends on nothing but its arguments.

/** A script, and the digest by which EVALSHA calls it. */
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
 * Reads the head of the value of KEYS[1]: `isOurs`, `stamp` and `purgedAt`. A value of another format or type is not
 * ours, nor is one with a stamp later than the last argument, the latest one that can have been issued.
 */
const readHead = `
local head = redis.pcall('GETRANGE', KEYS[1], 0, ${length - 1})
local isOurs = type(head) == 'string' and string.sub(head, 1, ${start.length}) == '${start}'
local stamp = isOurs and tonumber(string.sub(head, ${range(stamp)})) or 0
local purgedAt = isOurs and tonumber(string.sub(head, ${range(purgedAt)})) or 0
if math.max(stamp, purgedAt) > tonumber(ARGV[#ARGV]) then isOurs, stamp, purgedAt = false, 0, 0 end
`

/**
 * SET, unless the stored entry is newer, was purged since, or is fresh and of another schema. ARGV: text, stamp,
 * fingerprint, now, PX, latest. Returns the outcome, and the stamp that prevented the write.
 */
export const setEntry = script(`${readHead}
if isOurs then
  local new = tonumber(ARGV[2])
  if stamp > new then return {'newer', string.sub(head, ${range(stamp)})} end
  if purgedAt >= new then return {'purged', string.sub(head, ${range(purgedAt)})} end
  -- A process with the other schema could not read the new entry: the two would load and overwrite in turns.
  local isOtherSchema = string.sub(head, ${range(fingerprint)}) ~= ARGV[3]
  local isFresh = (tonumber(string.sub(head, ${range(freshUntil)})) or 0) > tonumber(ARGV[4])
  if isOtherSchema and isFresh and purgedAt < stamp then return {'other-schema', '0'} end
end
redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[5])
return {'stored', '0'}`)

/** Returns the stamp of the entry as text, empty if there is none. ARGV: latest. */
export const readStamp = script(`${readHead}
return isOurs and purgedAt < stamp and string.sub(head, ${range(stamp)}) or ''`)

/**
 * Replaces the entry by a tombstone. ARGV: tombstone, its stamp as a number and as text, minimum PX, channel, latest.
 * The tombstone lives at least as long as the entry, because a process that is disconnected now may have a copy in memory.
 * Connected processes receive the purge on the channel: by the time they read the key, a write may have replaced the
 * tombstone. Returns whether there was a value.
 */
export const purgeKeyHard = script(`${readHead}
redis.pcall('PUBLISH', ARGV[5], ARGV[3] .. KEYS[1])
if stamp > tonumber(ARGV[2]) then return 0 end
local ttl = redis.call('PTTL', KEYS[1])
local wasThere = ttl ~= -2 and (not isOurs or stamp > 0)
redis.call('SET', KEYS[1], ARGV[1], 'PX', string.format('%.0f', math.max(ttl, tonumber(ARGV[4]))))
-- A later soft purge keeps its stamp; this purge only makes it hard.
if purgedAt > tonumber(ARGV[2]) then
  redis.call('SETRANGE', KEYS[1], ${purgedAt[0] - 1}, string.sub(head, ${range(purgedAt)}))
end
return wasThere and 1 or 0`)

/** Marks the entry or tombstone as purged, or writes a tombstone. ARGV as above. Returns whether there was an entry. */
export const purgeKeySoft = script(`${readHead}
if stamp > tonumber(ARGV[2]) or purgedAt > tonumber(ARGV[2]) then return 0 end
if not isOurs then
  redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[4])
  return 0
end
redis.call('SETRANGE', KEYS[1], ${purgedAt[0] - 1}, ARGV[3])
if redis.call('PTTL', KEYS[1]) < tonumber(ARGV[4]) then redis.call('PEXPIRE', KEYS[1], ARGV[4]) end
return stamp > 0 and 1 or 0`)

// The purge log is one sorted set. Its member with the score 0 is the name of the log, a random one. It gets a new name
// when it is created and when lost purges are restored: a process that knows it by another name reads all of it.

/**
 * Reads `named`, a list with the name of the log or empty. A value of another type is deleted, because nothing could be
 * purged otherwise. If it cannot be deleted, because the server refuses writes, the error is the reply.
 */
const readName = `
local named = redis.pcall('ZRANGEBYSCORE', KEYS[1], 0, 0)
local isCorrupt = named.err and string.find(named.err, 'WRONGTYPE') and 1 or 0
if named.err and (isCorrupt == 0 or type(redis.pcall('DEL', KEYS[1])) == 'table') then return named end
if isCorrupt == 1 then named = {} end
`

/**
 * Returns the name of the log, purges, and whether a corrupt value was deleted. ARGV: the known name, the score to read
 * from, maximum number of members. Reads from the beginning if the log has another name.
 */
export const readPurges = script(`${readName}
local name = named[1] or ''
local from = name == ARGV[1] and ARGV[2] or '(0'
return {name, redis.call('ZRANGEBYSCORE', KEYS[1], from, '+inf', 'WITHSCORES', 'LIMIT', 0, ARGV[3]), isCorrupt}`)

/**
 * Merges the oldest members beyond ARGV[2] into one purge of everything older: a member of the same kind, soft or hard,
 * for all tags, with their latest stamp.
 */
const mergeOldest = `
local excess = redis.call('ZCARD', KEYS[1]) - 1 - tonumber(ARGV[2])
local oldest = excess > 0 and redis.call('ZRANGE', KEYS[1], 1, excess, 'WITHSCORES') or {}
for at = 1, #oldest, 2 do
  local all = string.sub(oldest[at], 1, 1) .. '*'
  if oldest[at] ~= all then
    redis.call('ZREM', KEYS[1], oldest[at])
    local known = redis.call('ZSCORE', KEYS[1], all)
    if not known or tonumber(known) < tonumber(oldest[at + 1]) then
      redis.call('ZADD', KEYS[1], oldest[at + 1], all)
    end
  end
end
`

/**
 * Adds members with a stamp later than all in the log, so that a process that has read up to some stamp misses none.
 * ARGV: minimum stamp, maximum number of members, PX, a name for a new log, latest, then the members. Returns the
 * stamp, and whether a corrupt value was deleted.
 */
export const addPurges = script(`${readName}
redis.call('ZREMRANGEBYSCORE', KEYS[1], '(' .. ARGV[5], '+inf')
if #named == 0 then redis.call('ZADD', KEYS[1], 0, ARGV[4]) end
local top = tonumber(redis.call('ZREVRANGE', KEYS[1], 0, 0, 'WITHSCORES')[2])
local score = string.format('%.0f', math.max(tonumber(ARGV[1]), top + 1))
for at = 6, #ARGV do redis.call('ZADD', KEYS[1], score, ARGV[at]) end
${mergeOldest}
redis.call('PEXPIRE', KEYS[1], ARGV[3])
return {score, isCorrupt}`)

/**
 * Restores purges that the log lacks or has with an earlier stamp. ARGV: PX, a new name, then pairs of member and stamp.
 * The log is renamed if anything was restored.
 */
export const restorePurges = script(`
local isChanged = false
for at = 3, #ARGV, 2 do
  local known = redis.call('ZSCORE', KEYS[1], ARGV[at])
  if not known or tonumber(known) < tonumber(ARGV[at + 1]) then
    redis.call('ZADD', KEYS[1], ARGV[at + 1], ARGV[at])
    isChanged = true
  end
end
if not isChanged then return 0 end
redis.call('ZREMRANGEBYSCORE', KEYS[1], 0, 0)
redis.call('ZADD', KEYS[1], 0, ARGV[2])
redis.call('PEXPIRE', KEYS[1], ARGV[1])
return 1`)

/** Takes the lease if it is free. A value of another type or without TTL would never expire, so it is replaced. ARGV: token, PX. */
export const acquireLease = script(`
local holder = redis.pcall('GET', KEYS[1])
local isCorrupt = type(holder) == 'table' or holder and redis.call('PTTL', KEYS[1]) == -1
if isCorrupt or not holder then
  redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2])
  return isCorrupt and 'acquired-corrupt' or 'acquired'
end
return string.sub(holder, 1, 1) == '!' and 'released' or 'held-elsewhere'`)

/** Extends the lease if the token still holds it. ARGV: token, PX. */
export const renewLease = script(`
if redis.call('GET', KEYS[1]) ~= ARGV[1] then return 0 end
return redis.call('PEXPIRE', KEYS[1], ARGV[2])`)

/**
 * Releases the lease if the token still holds it. ARGV: token, PX of the marker (0: none) that makes waiting processes
 * load without a lease.
 */
export const releaseLease = script(`
if redis.call('GET', KEYS[1]) ~= ARGV[1] then return 0 end
if ARGV[2] == '0' then return redis.call('DEL', KEYS[1]) end
redis.call('SET', KEYS[1], '!' .. ARGV[1], 'PX', ARGV[2])
return 1`)

/** Changes a key and leaves nothing behind, so that the server sends an invalidation. */
export const touch = script(`
redis.call('SET', KEYS[1], '', 'PX', 1000)
return redis.call('DEL', KEYS[1])`)

export const readTime = script(`return redis.call('TIME')`)
