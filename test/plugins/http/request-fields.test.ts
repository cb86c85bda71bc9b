import t from 'tap'
import { hasSentCredentials, renewsCookies } from '../../../plugins/http/request-fields.js'

t.test('a cookie is renewed if the client has sent it with the same value', async (t) => {
  for (const [setCookie, cookie, expected] of [
    ['sid=1; Path=/', 'sid=1', true],
    ['sid=1', 'a=b; sid=1; c=d', true],
    [['sid=1; Secure', 'a=b'], 'a=b;sid=1', true],
    ['sid=2', 'sid=1', false],
    [['sid=1', 'visitor=x'], 'sid=1', false],
    ['sid=1', 'xsid=1', false],
    ['SID=1', 'sid=1', false],
    ['sid=', 'sid=1', false],
    ['sid=1', undefined, false],
    [undefined, 'sid=1', false],
  ] as const) {
    t.equal(renewsCookies(setCookie, cookie), expected, `${setCookie} after ${cookie}`)
  }
})

t.test('credentials are found among the fields as they were sent', async (t) => {
  for (const [rawHeaders, expected] of [
    [['Cookie', 'a=b'], true],
    [['Host', 'x', 'AUTHORIZATION', 'Bearer x'], true],
    [['Host', 'cookie'], false],
    [['x-host', 'a', 'Accept', 'authorization'], false],
    [[], false],
  ] as const) {
    t.equal(hasSentCredentials(rawHeaders), expected, rawHeaders.join())
  }
})
