import t from 'tap'
import type { Fields } from '../../../plugins/edge/fields.js'
import { cacheControlOf, type Lifetime } from '../../../plugins/edge/freshness.js'
import { refusalOf } from '../../../plugins/edge/storable.js'

interface Case {
  readonly method?: string
  readonly asked?: Fields
  readonly status?: number
  readonly fields?: Fields
  readonly lifetime?: Lifetime | undefined
  readonly obeysDirectives?: boolean
}

function refusal({ method = 'GET', asked = {}, status = 200, fields = {}, obeysDirectives = true, ...rest }: Case) {
  const lifetime = 'lifetime' in rest ? rest.lifetime : { seconds: 60, isExplicit: true }
  const response = { status, fields, requestedAt: 0, receivedAt: 0 }
  return refusalOf({ method, fields: asked, obeysDirectives }, response, cacheControlOf(fields), lifetime)
}

t.test('what may be kept, and what not and why, RFC 9111 §3', async (t) => {
  const says = (value: string) => ({ 'cache-control': value })
  const signed = { authorization: 'Basic eDp5' }
  const cases: readonly (readonly [Case, string | undefined])[] = [
    [{}, undefined],
    [{ method: 'POST' }, 'method'],
    [{ method: 'HEAD' }, 'method'],
    [{ status: 206 }, 'status'],
    [{ status: 304 }, 'status'],
    [{ status: 416 }, 'status'],
    [{ status: 599 }, undefined],
    [{ status: 599, fields: says('must-understand') }, 'status'],
    [{ status: 200, fields: says('must-understand, no-store') }, undefined],
    [{ fields: says('no-store') }, 'no-store'],
    [{ asked: says('no-store') }, 'no-store'],
    [{ asked: says('no-store'), obeysDirectives: false }, undefined],
    [{ fields: says('private') }, 'private'],
    [{ fields: says('private="x-a"') }, undefined],
    [{ asked: signed }, 'authorization'],
    [{ asked: signed, fields: says('proxy-revalidate') }, 'authorization'],
    [{ asked: signed, fields: says('public') }, undefined],
    [{ asked: signed, fields: says('s-maxage=1') }, undefined],
    [{ asked: signed, fields: says('must-revalidate') }, undefined],
    [{ fields: { vary: ['Accept', 'x, *'] } }, 'vary'],
    [{ lifetime: undefined }, 'no-lifetime'],
    [{ fields: { 'set-cookie': 'a=b' } }, undefined],
    [{ fields: { 'set-cookie': 'a=b' }, lifetime: { seconds: 60, isExplicit: false } }, 'set-cookie'],
    [{ fields: says('no-cache'), lifetime: { seconds: 0, isExplicit: true } }, 'of-no-use'],
    [{ fields: { ...says('no-cache'), etag: '"a"' }, lifetime: { seconds: 0, isExplicit: true } }, undefined],
  ]
  for (const [its, expected] of cases) t.equal(refusal(its), expected, JSON.stringify(its))
})
