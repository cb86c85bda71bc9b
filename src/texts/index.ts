import { english, type Texts } from './english.js'
import { french } from './french.js'
import type { Language } from './languages.js'
import { type OperatorLabels, operatorEnglish } from './operator-english.js'
import { operatorFrench } from './operator-french.js'

export type { Texts } from './english.js'
export type { OperatorLabels } from './operator-english.js'

const texts: Readonly<Record<Language, Texts>> = { en: { ...english, language: 'en' }, fr: french }
const operatorLabels: Readonly<Record<Language, OperatorLabels>> = { en: operatorEnglish, fr: operatorFrench }

/** Texts of the panels and error pages. */
export function textsOf(language: Language): Texts {
  return texts[language]
}

/** Texts of the operator page. */
export function operatorLabelsOf(language: Language): OperatorLabels {
  return operatorLabels[language]
}
