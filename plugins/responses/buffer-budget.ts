/** Bytes that several streams may hold together. */
export class BufferBudget {
  readonly #maxBytes: number
  #used = 0

  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes
  }

  get usedBytes(): number {
    return this.#used
  }

  /** Takes the bytes, if they are free. */
  take(bytes: number): boolean {
    if (this.#used + bytes > this.#maxBytes) return false
    this.#used += bytes
    return true
  }

  release(bytes: number): void {
    this.#used -= bytes
  }
}
