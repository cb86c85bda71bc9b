import { arbitraryEdge, buildEdge, type EdgeConfiguration } from './edge-configuration.js'
import { credentialCookies } from './edge-plugins.js'
import { arbitraryProxy, buildProxy, type ProxyConfiguration } from './proxy-configuration.js'
import { arbitraryPair, commonHeaders, commonParameters, commonPaths } from './requests.js'
import type { Subject } from './run.js'

/** Routes whose handler answers with all that it can read. */
export async function edgeSubject(): Promise<Subject<EdgeConfiguration>> {
  const cookie = [...plainCookies, ...(await credentialCookies())]
  const pools = { paths: commonPaths, parameters: commonParameters, headers: { ...commonHeaders, cookie } }
  return { configuration: arbitraryEdge, pair: arbitraryPair(pools), build: buildEdge }
}

/** Routes that forward to an origin that obeys HTTP. */
export function proxySubject(): Subject<ProxyConfiguration> {
  const headers = { ...commonHeaders, cookie: plainCookies }
  const pools = { paths: commonPaths, parameters: commonParameters, headers }
  return { configuration: arbitraryProxy, pair: arbitraryPair(pools), build: buildProxy }
}

const plainCookies = ['theme=dark', 'theme=light; user=alice', 'user=alice', 'user=bob', '']
