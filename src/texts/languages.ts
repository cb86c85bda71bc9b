import type { FastifyRequest } from 'fastify'
import Negotiator from 'negotiator'

/** The languages of the pages; the first is the default. */
export const languages = ['en', 'fr'] as const

export type Language = (typeof languages)[number]

/** Creates one value per language. */
export function createPerLanguage<T>(create: (language: Language) => T): Readonly<Record<Language, T>> {
  return { en: create('en'), fr: create('fr') }
}

/** Browsers send few different values. Longer ones, and those beyond the maximum, are not cached. */
const maxCachedLength = 128
const maxCachedValues = 500

/** Negotiation costs a fifth of an edge hit. */
const cachedLanguages = new Map<string, Language>()

/** The best match for an `Accept-Language`. RFC 9110 §12.5.4. */
export function chooseLanguage(acceptLanguage: string | undefined): Language {
  if (acceptLanguage === undefined) return languages[0]
  const known = cachedLanguages.get(acceptLanguage)
  if (known !== undefined) return known
  const accepted = new Negotiator({ headers: { 'accept-language': acceptLanguage } }).languages([...languages])
  const language = languages.find((language) => language === accepted[0]) ?? languages[0]
  if (acceptLanguage.length <= maxCachedLength && cachedLanguages.size < maxCachedValues) {
    cachedLanguages.set(acceptLanguage, language)
  }
  return language
}

export function languageOf({ headers }: Pick<FastifyRequest, 'headers'>): Language {
  return chooseLanguage(headers['accept-language'])
}
