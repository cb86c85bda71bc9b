import t from 'tap'
import { searchLeaks, seedFor } from '../../harness/clients/run.js'
import { proxySubject } from '../../harness/clients/subjects.js'

// Random applications with a proxy cache in front of an origin that obeys HTTP, and random pairs of requests. `npm run test:clients` sends more and prints a counterexample.

const pairs = 1_500

t.test(
  'whatever the configuration and the origin, a client gets what it would have got from an empty cache',
  async (t) => {
    const outcomes = await searchLeaks({ ...proxySubject(), pairs, seed: seedFor(2_026) })
    t.ok(outcomes.pairs >= pairs)
    for (const kind of ['hits', 'stale', 'collapsed', 'bypasses', 'validated', 'parts', 'misses'] as const) {
      t.ok(outcomes[kind] > 0, kind)
    }
    t.ok(outcomes.couldHit > 50, `${outcomes.couldHit} pairs could be hits`)
    t.ok(outcomes.didHit > 0.7 * outcomes.couldHit, `${outcomes.didHit} of ${outcomes.couldHit} are`)
  },
)
