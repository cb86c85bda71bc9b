import t from 'tap'
import { decideRead, type ReadDecisionInput } from '../../../../plugins/cache/read/decide-read.js'

const input: ReadDecisionInput = {
  state: 'fresh',
  isRefreshDue: false,
  isBackingOff: false,
  hasFailed: false,
  softTimeoutMs: 300,
}
const served = (state: string, reason: string, isRefreshed: boolean) => ({
  action: 'serve',
  state,
  reason,
  isRefreshed,
})
const waits = (maxWaitMs: number) => ({ action: 'wait', maxWaitMs })

const cases: readonly (readonly [string, Partial<ReadDecisionInput>, object])[] = [
  ['a fresh entry is served', {}, served('fresh', 'hit', false)],
  [
    'a fresh entry that is due for a refresh is served and refreshed',
    { isRefreshDue: true },
    served('fresh', 'hit', true),
  ],
  [
    'a fresh entry is served whatever failed before',
    { isBackingOff: true, hasFailed: true },
    served('fresh', 'hit', false),
  ],
  ['without a usable entry the read loads', { state: 'expired' }, { action: 'load' }],
  [
    'without a usable entry the read loads, also during back-off',
    { state: 'expired', isBackingOff: true },
    { action: 'load' },
  ],
  [
    'in stale-while-revalidate the entry is served and refreshed',
    { state: 'stale-while-revalidate' },
    served('stale', 'stale', true),
  ],
  [
    'a retry after a failure does not change the reason',
    { state: 'stale-while-revalidate', hasFailed: true },
    served('stale', 'stale-if-error', true),
  ],
  [
    'during back-off nothing is refreshed',
    { state: 'stale-while-revalidate', isBackingOff: true, hasFailed: true },
    served('stale', 'stale-if-error', false),
  ],
  ['in stale-if-error the read waits for the soft time-out', { state: 'stale-if-error' }, waits(300)],
  ['a purged entry is served only when its load fails', { state: 'purged' }, waits(Number.POSITIVE_INFINITY)],
  ['after a failed load a purged entry is served like a stale one', { state: 'purged', hasFailed: true }, waits(300)],
  [
    'during back-off a purged entry is served at once',
    { state: 'purged', isBackingOff: true, hasFailed: true },
    served('stale', 'stale-if-error', false),
  ],
]

for (const [title, changes, expected] of cases) {
  t.test(title, async (t) => {
    t.strictSame(decideRead({ ...input, ...changes }), expected)
  })
}
