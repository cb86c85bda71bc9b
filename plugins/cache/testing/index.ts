// For tests of applications that use the cache: a shared store that fails on demand, a manual clock, a load counter.

export type { Store } from '../store.js'
export { type CountedLoads, countLoads } from './count-loads.js'
export { createManualClock, type ManualClock } from './manual-clock.js'
export { createTestStore, type TestStore, type TestStoreMode, type TestStoreOptions } from './test-store.js'
