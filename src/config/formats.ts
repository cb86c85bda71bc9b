import { X509Certificate } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { isIPv6 } from 'node:net'
import { Ajv } from 'ajv'
import { isRedisUrl } from 'fastify-vitrine/redis'
import { parseNetworks } from './networks.js'

/** With the same options as the default of env-schema, plus our formats. */
export function createValidator(): Ajv {
  const ajv = new Ajv({ allErrors: true, removeAdditional: true, useDefaults: true, coerceTypes: true })
  ajv.addFormat('http-url', isHttpUrl)
  ajv.addFormat('redis-url', isRedisUrl)
  ajv.addFormat('node-list', (text: string) => text.split(',').every((node) => parseNode(node) !== undefined))
  ajv.addFormat('network-list', (text: string) => parseNetworks(text) !== undefined)
  ajv.addFormat('time-zone', isTimeZone)
  ajv.addFormat('certificate-file', isCertificateFile)
  ajv.addFormat('header-value', /^[\x21-\x7e]+$/)
  return ajv
}

function isHttpUrl(text: string): boolean {
  if (!URL.canParse(text)) return false
  const url = new URL(text)
  if (!/^https?:$/.test(url.protocol)) return false
  return url.username === '' && url.password === '' && url.search === '' && url.hash === ''
}

function isCertificateFile(path: string): boolean {
  try {
    const blocks = readFileSync(path, 'latin1').match(/-----BEGIN CERTIFICATE-----.+?-----END CERTIFICATE-----/gs) ?? []
    return blocks.map((block) => new X509Certificate(block)).length > 0
  } catch {
    return false // missing, unreadable, or not a certificate
  }
}

function isTimeZone(text: string): boolean {
  if (!/^[A-Za-z]/.test(text)) return false // '+02:00' is an offset, without daylight saving
  try {
    new Intl.DateTimeFormat('en', { timeZone: text })
    return true
  } catch {
    return false
  }
}

export function parseNodes(text: string): { host: string; port: number }[] {
  return text.split(',').flatMap((node) => parseNode(node) ?? [])
}

function parseNode(text: string): { host: string; port: number } | undefined {
  const [, bracketed, name, digits] = /^\s*(?:\[([^\]]+)\]|([\w.-]+)):(\d{1,5})\s*$/.exec(text) ?? []
  const host = bracketed === undefined || isIPv6(bracketed) ? (bracketed ?? name) : undefined
  const port = Number(digits)
  return host !== undefined && port >= 1 && port <= 65_535 ? { host, port } : undefined
}
