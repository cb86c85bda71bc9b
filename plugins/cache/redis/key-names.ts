const leaseMark = '~lease:'
const purgesMark = '~purges'
const removedMark = '~removed'

/** What a key in Redis belongs to. */
export type NamedKey =
  | { readonly type: 'entry'; readonly key: string }
  | { readonly type: 'lease'; readonly key: string }
  | { readonly type: 'purges' }

/**
 * The names of the keys in Redis. Keys other than those of entries begin with a tilde and a letter after the prefix; the
 * tilde of an entry's own key is doubled, so that the two never collide.
 *
 * A client may add a prefix of its own to each key. Names for commands are without it. Invalidations and channels have
 * it (`wire…`).
 */
export class KeyNames {
  readonly #keyPrefix: string
  readonly wirePrefix: string
  /** The sorted set of the purge log. */
  readonly purges: string
  /** The channel on which hard purges are published. */
  readonly removedChannel: string

  constructor(keyPrefix: string, clientPrefix: string) {
    this.#keyPrefix = keyPrefix
    this.wirePrefix = clientPrefix + keyPrefix
    this.purges = keyPrefix + purgesMark
    this.removedChannel = this.wirePrefix + removedMark
  }

  entry(key: string): string {
    return this.#keyPrefix + escaped(key)
  }

  lease(key: string): string {
    return this.#keyPrefix + leaseMark + key
  }

  wireEntry(key: string): string {
    return this.wirePrefix + escaped(key)
  }

  wireLease(key: string): string {
    return this.wirePrefix + leaseMark + key
  }

  get wirePurges(): string {
    return this.wirePrefix + purgesMark
  }

  parse(wireKey: string): NamedKey {
    const name = wireKey.slice(this.wirePrefix.length)
    if (name === purgesMark) return { type: 'purges' }
    if (name.startsWith(leaseMark)) return { type: 'lease', key: name.slice(leaseMark.length) }
    return { type: 'entry', key: name.startsWith('~~') ? name.slice(1) : name }
  }
}

function escaped(key: string): string {
  return key.startsWith('~') ? `~${key}` : key
}
