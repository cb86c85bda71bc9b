import type { Language } from '../languages.js'
import { english } from './english.js'
import { french } from './french.js'

/** What pages say, in one language. */
export type Texts = typeof english & { readonly language: Language }

const texts: Readonly<Record<Language, Texts>> = { en: { ...english, language: 'en' }, fr: french }

export function textsOf(language: Language): Texts {
  return texts[language]
}
