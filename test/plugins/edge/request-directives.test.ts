import t from 'tap'
import { requestDirectivesOf } from '../../../plugins/edge/request-directives.js'

const none = { noCache: false, onlyIfCached: false, maxAge: undefined, minFresh: undefined, maxStale: undefined }

t.test('what a client asks of the cache, RFC 9111 §5.2.1', async (t) => {
  const cases = [
    [{}, {}],
    [{ 'cache-control': 'no-cache' }, { noCache: true }],
    [{ 'cache-control': 'only-if-cached' }, { onlyIfCached: true }],
    [{ 'cache-control': 'max-age=0, min-fresh="5"' }, { maxAge: 0, minFresh: 5 }],
    [{ 'cache-control': 'max-stale' }, { maxStale: Number.POSITIVE_INFINITY }],
    [{ 'cache-control': 'max-stale=5' }, { maxStale: 5 }],
    [{ 'cache-control': 'max-stale=x, max-age=x' }, {}],
    [{ 'cache-control': 'unknown' }, {}],
    [{ pragma: 'no-cache' }, { noCache: true }],
    [{ pragma: 'unknown' }, {}],
    [{ pragma: 'no-cache', 'cache-control': 'max-age=9' }, { maxAge: 9 }],
  ] as const
  for (const [fields, asked] of cases) {
    t.strictSame(requestDirectivesOf(fields), { ...none, ...asked }, JSON.stringify(fields))
  }
})
