import { createRequire } from 'node:module'

// The package is a function in CommonJS without types.
const calculate: (key: string) => number = createRequire(import.meta.url)('cluster-key-slot')

/** The slot of a Redis Cluster, 0 to 16,383, that a key belongs to. */
export function keySlot(key: string): number {
  return calculate(key)
}
