import type { FastifyRequest } from 'fastify'
import { LRUCache } from 'lru-cache'
import Negotiator from 'negotiator'

/** The languages of the pages; the first is the default. */
export const languages = ['en', 'fr'] as const

export type Language = (typeof languages)[number]

/** Creates one value per language. */
export function createPerLanguage<T>(create: (language: Language) => T): Readonly<Record<Language, T>> {
  return { en: create('en'), fr: create('fr') }
}

/** Browsers send about 100 characters. The rest of a longer value is not read: negotiating 16 kB takes milliseconds. */
const maxLength = 200
const maxCachedValues = 500

/** Negotiation costs a fifth of an edge hit. */
const cachedLanguages = new LRUCache<string, Language>({ max: maxCachedValues })

/** The best match for an `Accept-Language`. RFC 9110 §12.5.4. */
export function chooseLanguage(acceptLanguage: string | undefined): Language {
  if (acceptLanguage === undefined) return languages[0]
  const text = cut(acceptLanguage)
  const known = cachedLanguages.get(text)
  if (known !== undefined) return known
  const accepted = new Negotiator({ headers: { 'accept-language': text } }).languages([...languages])
  const language = languages.find((language) => language === accepted[0]) ?? languages[0]
  cachedLanguages.set(text, language)
  return language
}

/** The complete members within the maximum. */
function cut(text: string): string {
  if (text.length <= maxLength) return text
  const start = text.slice(0, maxLength)
  return start.slice(0, Math.max(start.lastIndexOf(','), 0))
}

export function languageOf({ headers }: Pick<FastifyRequest, 'headers'>): Language {
  return chooseLanguage(headers['accept-language'])
}
