import t from 'tap'
import { longAppTimeouts, startApp } from '../../harness/app.js'
import { connectRaw, listen } from '../../harness/raw-http.js'

const short = { ...longAppTimeouts, server: { requestMs: 300, headMs: 300, checkIntervalMs: 20 } }

t.test('a request whose body does not arrive is answered with 408, and its connection is closed', async (t) => {
  const { app, book } = await startApp(t, { timeouts: short })
  for (const path of ['/nothing', '/api/v1/sellers', '/ops/cache/purge']) {
    const client = await connectRaw(t, await listen(app))
    client.write(`POST ${path} HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 1000\r\n\r\n{`)
    const { status, fields, body } = await client.response()
    t.equal(status, 408, path)
    t.equal(fields['content-type'], 'application/problem+json')
    t.match(JSON.parse(body.toString()), { status: 408, title: 'Request Timeout' })
    await client.closed
  }
  t.equal((await app.inject('/healthz')).statusCode, 200)
  t.strictSame(book.at(50), [], 'it is no error of ours')
})

t.test('a head that does not arrive is answered with 408', async (t) => {
  const { app } = await startApp(t, { timeouts: short })
  const client = await connectRaw(t, await listen(app))
  client.write('GET / HTTP/1.1\r\nHost: x\r\nX-Slow: ')
  t.equal((await client.response()).status, 408)
  await client.closed
})

t.test('an idle connection after a response is not a slow request', async (t) => {
  const { app } = await startApp(t, { timeouts: short })
  const client = await connectRaw(t, await listen(app))
  client.write('GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n')
  t.equal((await client.response()).status, 200)
  const slow = await connectRaw(t, await listen(app))
  slow.write('GET')
  await slow.closed // the check has run
  client.write('GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n')
  t.equal((await client.response()).status, 200)
})

t.test('a time-out during a response closes the connection, and adds nothing to the response', async (t) => {
  const { app } = await startApp(t, { timeouts: short, environment: { PURGE_TOKEN: 'correct-horse-battery' } })
  const client = await connectRaw(t, await listen(app))
  client.write(
    'GET /ops/cache/live HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer correct-horse-battery\r\nContent-Length: 9\r\n\r\n',
  )
  t.equal((await client.head()).status, 200)
  await client.closed
  t.notMatch(client.unread.toString(), 'HTTP/1.1')
})

t.test('a body of more than 64 KiB is refused before it is read', async (t) => {
  const { app } = await startApp(t, { environment: { PURGE_TOKEN: 'correct-horse-battery' } })
  for (const path of ['/nothing', '/panels/nothing', '/ops/cache/purge', '/ops/cache/session']) {
    const client = await connectRaw(t, await listen(app))
    client.write(
      `POST ${path} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer correct-horse-battery\r\n` +
        'Content-Type: application/json\r\nContent-Length: 1048576\r\n\r\n',
    )
    const { status } = await client.response()
    t.ok(status === 413 || (path === '/ops/cache/session' && status === 415), `${path}: ${status}`)
  }
})

t.test('unknown paths are limited before their body is read', async (t) => {
  const { app } = await startApp(t, { environment: { RATE_LIMIT_MAX: '2' } })
  for (const [path, status] of [
    ['/nothing', 404],
    ['/panels/nothing', 404],
    ['/nothing', 429],
    ['/api/nothing', 429],
  ] as const) {
    const client = await connectRaw(t, await listen(app))
    const length = status === 404 ? 2 : 1_000 // of which nothing is sent
    client.write(
      `POST ${path} HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: ${length}\r\n\r\n`,
    )
    if (status === 404) client.write('{}')
    t.equal((await client.response()).status, status, path)
  }
  t.equal((await app.inject('/api/v1/sellers')).statusCode, 429, 'they share the budget of the other requests')
})
