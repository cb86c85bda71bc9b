import type { Language } from '../languages.js'
import { english, type Texts } from './english.js'
import { french } from './french.js'

export type { Texts } from './english.js'

const texts: Readonly<Record<Language, Texts>> = { en: { ...english, language: 'en' }, fr: french }

export function textsOf(language: Language): Texts {
  return texts[language]
}
