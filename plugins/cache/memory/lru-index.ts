/** No slot. */
export const none = -1

const firstCapacity = 1_024

/**
 * Keys in the order of their last use. Each has a small number of its own, its slot, under which its holder finds in arrays what
 * belongs to the key; the slot of a key that is removed is given to another one.
 */
export class KeySlots {
  readonly #slots = new Map<string, number>()
  readonly #keys: (string | undefined)[] = []
  readonly #free: number[] = []
  #older = new Int32Array(0)
  #newer = new Int32Array(0)
  #oldest = none
  #newest = none
  readonly #most: number

  /** For so many keys at most. */
  constructor(most: number) {
    this.#most = most
  }

  get size(): number {
    return this.#slots.size
  }

  /** Slots that there is room for at the moment; `add` may make more. */
  get capacity(): number {
    return this.#older.length
  }

  /** The slot of the key that has not been used for longest, or `none`. */
  get oldest(): number {
    return this.#oldest
  }

  /** Every key with its slot, in no order that means anything. */
  get all(): Iterable<readonly [key: string, slot: number]> {
    return this.#slots
  }

  /** The slot of the key, or `none`. Does not count as use. */
  find(key: string): number {
    return this.#slots.get(key) ?? none
  }

  /** Gives a slot to a key that has none; there have to be less than the most. Counts as use. */
  add(key: string): number {
    const slot = this.#free.pop() ?? this.#keys.length
    if (slot >= this.capacity) this.#grow()
    this.#keys[slot] = key
    this.#slots.set(key, slot)
    this.#append(slot)
    return slot
  }

  /** Notes that the key of the slot was used just now. */
  use(slot: number): void {
    if (slot === this.#newest) return
    this.#unlink(slot)
    this.#append(slot)
  }

  /** Takes the key of the slot out. */
  remove(slot: number): void {
    const key = this.#keys[slot]
    if (key === undefined) return
    this.#unlink(slot)
    this.#slots.delete(key)
    this.#keys[slot] = undefined
    this.#free.push(slot)
  }

  #append(slot: number): void {
    this.#older[slot] = this.#newest
    this.#newer[slot] = none
    if (this.#newest === none) this.#oldest = slot
    else this.#newer[this.#newest] = slot
    this.#newest = slot
  }

  #unlink(slot: number): void {
    const older = this.#older[slot] ?? none
    const newer = this.#newer[slot] ?? none
    if (older === none) this.#oldest = newer
    else this.#newer[older] = newer
    if (newer === none) this.#newest = older
    else this.#older[newer] = older
  }

  #grow(): void {
    const [older, newer] = [this.#older, this.#newer]
    const capacity = Math.max(firstCapacity, Math.min(this.capacity * 2, this.#most))
    this.#older = new Int32Array(capacity)
    this.#newer = new Int32Array(capacity)
    this.#older.set(older)
    this.#newer.set(newer)
  }
}
