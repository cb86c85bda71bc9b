import t from 'tap'
import { isSafe } from '../../../plugins/http/methods.js'

t.test('methods registered as safe are safe (RFC 9110 §9.2.1, §16.1.1)', async (t) => {
  for (const method of ['GET', 'HEAD', 'OPTIONS', 'TRACE']) t.equal(isSafe(method), true, method)
  for (const method of ['PROPFIND', 'REPORT', 'SEARCH']) t.equal(isSafe(method), true, `${method}, of WebDAV`)
  t.equal(isSafe('QUERY'), true, 'QUERY')
})

t.test('every other registered method is unsafe (RFC 9110 §9.2.1)', async (t) => {
  for (const method of ['POST', 'PUT', 'DELETE', 'CONNECT', 'PATCH']) t.equal(isSafe(method), false, method)
  const webDav = ['PROPPATCH', 'MKCOL', 'COPY', 'MOVE', 'LOCK', 'UNLOCK', 'CHECKOUT', 'BIND', 'ACL']
  for (const method of webDav) t.equal(isSafe(method), false, `${method}, of WebDAV`)
})

t.test('an unknown method is unsafe: it invalidates (RFC 9111 §4.4)', async (t) => {
  const cases = [
    { name: 'an unknown one', method: 'PURGE' },
    { name: 'a longer name than a safe one', method: 'GETS' },
    { name: 'methods are case-sensitive (RFC 9110 §9.1)', method: 'get' },
    { name: 'a name with white space', method: 'GET ' },
    { name: 'an empty one', method: '' },
    { name: 'a name of an object property', method: 'constructor' },
  ]
  for (const { name, method } of cases) t.equal(isSafe(method), false, name)
})
