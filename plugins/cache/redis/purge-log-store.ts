import { randomBytes } from 'node:crypto'
import { maxPurges, type PurgeLogPosition, type PurgeLogRead } from '../purge/purge-log.js'
import * as scripts from './scripts.js'
import { latestStamp, type StoreDeps } from './store-deps.js'

/** Longer than any entry may live, so that no entry outlives its purge. */
const lifetimeMs = 800 * 86_400_000
/** Maximum number of purges in one read. One purge command adds fewer members, all with one stamp. */
const pageSize = 5_000
/** Maximum number of arguments in one command that restores purges. */
const maxArguments = 2_000

/** The purge log in Redis: a sorted set of tags, scored by the stamps of their purges. */
export class PurgeLogStore {
  readonly #deps: StoreDeps

  constructor(deps: StoreDeps) {
    this.#deps = deps
  }

  async read(after: PurgeLogPosition | undefined): Promise<PurgeLogRead> {
    const { clock } = this.#deps
    const stamps = new Map<string, number>()
    let position: PurgeLogPosition = after ?? { name: 'none', upTo: 0 }
    for (let from = `(${position.upTo}`; ; from = String(position.upTo)) {
      const { name, page } = await this.#readPage(position.name, from)
      const trusted = page.filter(([, stamp]) => stamp <= clock.maxTrustedStamp)
      for (const [member, stamp] of trusted) stamps.set(member, stamp)
      const upTo = trusted.at(-1)?.[1] ?? (name === position.name ? position.upTo : 0)
      position = { name, upTo }
      // The next page begins with the last stamp of this one: more members may have it.
      if (trusted.length < pageSize) return { stamps, isComplete: name !== after?.name, position }
    }
  }

  /** The stamp that the purges got. */
  async add(members: readonly string[], stamp: number): Promise<number> {
    const { clock, commands, names, tracking, onCorruptKey } = this.#deps
    const args = [String(stamp), String(maxPurges), String(lifetimeMs), newLogName(), latestStamp(clock), ...members]
    const reply = await commands.write(scripts.addPurges, names.purges, args)
    const [addedStamp, isCorrupt] = Array.isArray(reply) ? reply : []
    if (isCorrupt === 1) onCorruptKey(names.purges)
    tracking?.broadcast(names.wirePurges)
    return Number(addedStamp)
  }

  async restore(purges: ReadonlyMap<string, number>): Promise<void> {
    const { commands, names, tracking } = this.#deps
    const all = [...purges].flatMap(([member, stamp]) => [member, String(stamp)])
    for (let at = 0; at < all.length; at += maxArguments) {
      const args = [String(lifetimeMs), newLogName(), ...all.slice(at, at + maxArguments)]
      await commands.write(scripts.restorePurges, names.purges, args)
    }
    tracking?.broadcast(names.wirePurges)
  }

  async #readPage(logName: string, from: string) {
    const { commands, names, onCorruptKey } = this.#deps
    // Many members take as long as a write.
    const reply = await commands.write(scripts.readPurges, names.purges, [logName, from, String(pageSize)])
    const [name, flat, isCorrupt] = Array.isArray(reply) ? reply : []
    if (isCorrupt === 1) onCorruptKey(names.purges)
    const page: [member: string, stamp: number][] = []
    if (!Array.isArray(flat)) return { name: '', page }
    for (let at = 0; at + 1 < flat.length; at += 2) page.push([String(flat[at]), Number(flat[at + 1])])
    return { name: String(name), page }
  }
}

function newLogName(): string {
  return `#${randomBytes(6).toString('hex')}`
}
