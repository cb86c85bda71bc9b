import t from 'tap'
import { searchLeaks, seedFor } from '../../harness/clients/run.js'
import { edgeSubject } from '../../harness/clients/subjects.js'

// Random applications with an edge, and random pairs of requests. `npm run test:clients` sends more and prints a counterexample.

const pairs = 5_000

t.test('whatever the configuration, a client gets what it would have got from an empty cache', async (t) => {
  const outcomes = await searchLeaks({ ...(await edgeSubject()), pairs, seed: seedFor(2_026) })
  t.ok(outcomes.pairs >= pairs)
  for (const kind of ['hits', 'stale', 'collapsed', 'bypasses', 'validated', 'parts', 'misses'] as const) {
    t.ok(outcomes[kind] > 0, kind)
  }
  t.ok(outcomes.couldHit > 100, `${outcomes.couldHit} pairs could be hits`)
  t.ok(outcomes.didHit > 0.7 * outcomes.couldHit, `${outcomes.didHit} of ${outcomes.couldHit} are`)
})
