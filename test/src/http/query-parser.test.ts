import t from 'tap'
import { parseQuery } from '../../../src/http/query-parser.js'
import { startApp } from '../../harness/app.js'

const unknown = (count: number) => Array.from({ length: count }, (_, n) => `p${n}=1`).join('&')

t.test('a query is decoded as forms encode it', async (t) => {
  for (const [text, query] of [
    ['', {}],
    ['page=2&name=a+b%26%C3%A9', { page: '2', name: 'a b&é' }],
    ['name=a&name=b', { name: ['a', 'b'] }],
    ['name&title=', { name: '', title: '' }],
    ['name=50%&title=%zz', { name: '50%', title: '%zz' }],
    ['__proto__=1&constructor=2', JSON.parse('{"__proto__":"1","constructor":"2"}')],
    ['a;b=1', { 'a;b': '1' }],
  ] as const) {
    t.strictSame({ ...parseQuery(text) }, query, text)
  }
  t.notOk('toString' in parseQuery('a=1'), 'inherits no members')
})

t.test('of a query only the first 100 parameters are read', async (t) => {
  t.equal(Object.keys(parseQuery(unknown(5_000))).length, 100)
  const { app } = await startApp(t)
  for (const [count, pageSize] of [
    [99, 7],
    [100, 20],
  ] as const) {
    const url = `/api/v1/sellers?${unknown(count)}&page_size=7`
    t.equal((await app.inject(url)).json().page_size, pageSize, `after ${count} others`)
  }
})
