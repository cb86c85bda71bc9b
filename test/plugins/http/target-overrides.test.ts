import t from 'tap'
import { hasRequestOverride, uriOverrides } from '../../../plugins/http/target-overrides.js'

t.test('fields by which origins replace a part of the URI become text, each with all its lines', async (t) => {
  const cases = [
    { name: 'none of them', fields: { host: 'a', accept: '*/*', 'x-forwarded-for': '10.0.0.1' }, expected: '' },
    { name: 'a host', fields: { 'x-forwarded-host': 'evil.test' }, expected: '["x-forwarded-host","evil.test"]' },
    { name: 'an empty one', fields: { 'x-forwarded-host': '' }, expected: '["x-forwarded-host",""]' },
    { name: 'lines', fields: { 'x-forwarded-host': ['a', 'b'] }, expected: '["x-forwarded-host","a","b"]' },
    {
      name: 'several, in one order',
      fields: { 'x-forwarded-prefix': '/p', 'x-forwarded-proto': 'https', 'x-forwarded-port': '8443' },
      expected: '["x-forwarded-proto","https"]["x-forwarded-port","8443"]["x-forwarded-prefix","/p"]',
    },
    {
      name: 'a value like another field',
      fields: { 'x-host': '"]["x-scheme"' },
      expected: '["x-host","\\"][\\"x-scheme\\""]',
    },
    { name: 'addresses in Forwarded', fields: { forwarded: 'for=10.0.0.1;by=a, For="[::1]"' }, expected: '' },
    {
      name: 'a host in Forwarded',
      fields: { forwarded: 'for=10.0.0.1;host=evil.test;proto=https' },
      expected: '["forwarded",["host=evil.test","proto=https"]]',
    },
    {
      name: 'a host in the second element',
      fields: { forwarded: 'for=10.0.0.1, for=10.0.0.2;host=a' },
      expected: '["forwarded",[],["host=a"]]',
    },
    { name: 'a malformed Forwarded', fields: { forwarded: 'host:a' }, expected: '["forwarded",["host:a"]]' },
  ]
  for (const { name, fields, expected } of cases) t.equal(uriOverrides(fields), expected, name)
  t.notMatch(uriOverrides({ 'x-forwarded-host': 'a\nb', forwarded: 'host=a\nb' }), /\n/)
})

t.test('fields by which origins answer another request are recognised', async (t) => {
  for (const name of [
    'x-http-method',
    'x-http-method-override',
    'x-method-override',
    'x-original-url',
    'x-rewrite-url',
  ]) {
    t.equal(hasRequestOverride({ [name]: '' }), true, name)
  }
  t.equal(hasRequestOverride({ host: 'a', 'x-forwarded-host': 'b' }), false)
})
