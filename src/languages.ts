import type { FastifyRequest } from 'fastify'
import Negotiator from 'negotiator'

/** The languages that pages are written in; the first is for those who ask for none of them. */
export const languages = ['en', 'fr'] as const

export type Language = (typeof languages)[number]

/** What is made once for each language. */
export function inEachLanguage<T>(make: (language: Language) => T): Readonly<Record<Language, T>> {
  return { en: make('en'), fr: make('fr') }
}

/** Browsers send few different values; what is longer, or comes when there are so many, is not a browser's. */
const maxRememberedLength = 128
const maxRemembered = 500

/** Languages that were chosen before: choosing costs a fifth of what a hit of the cache does. */
const chosen = new Map<string, Language>()

/** The language of ours that an `Accept-Language` likes best. RFC 9110 §12.5.4. */
export function chooseLanguage(acceptLanguage: string | undefined): Language {
  if (acceptLanguage === undefined) return languages[0]
  const known = chosen.get(acceptLanguage)
  if (known !== undefined) return known
  const accepted = new Negotiator({ headers: { 'accept-language': acceptLanguage } }).languages([...languages])
  const language = languages.find((language) => language === accepted[0]) ?? languages[0]
  if (acceptLanguage.length <= maxRememberedLength && chosen.size < maxRemembered) chosen.set(acceptLanguage, language)
  return language
}

export function languageOf({ headers }: Pick<FastifyRequest, 'headers'>): Language {
  return chooseLanguage(headers['accept-language'])
}
