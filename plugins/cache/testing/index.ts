// For the tests of those who reuse the cache: a shared store that fails on demand, a clock that stands still, a count of loads.

export type { Store } from '../store.js'
export { type CountedLoads, countLoads } from './count-loads.js'
export { createManualClock, type ManualClock } from './manual-clock.js'
export { createTestStore, type TestStore, type TestStoreMode, type TestStoreOptions } from './test-store.js'
