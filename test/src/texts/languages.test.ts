import t from 'tap'
import { chooseLanguage } from '../../../src/texts/languages.js'

t.test('the best match for Accept-Language is chosen, and English by default', async (t) => {
  const cases: [acceptLanguage: string | undefined, language: string, why: string][] = [
    [undefined, 'en', 'no header'],
    ['', 'en', 'an empty header'],
    ['fr', 'fr', 'the language itself'],
    ['FR', 'fr', 'in capitals'],
    ['fr-CA', 'fr', 'a region'],
    ['fr-FR,fr;q=0.9,en-US;q=0.8,en;q=0.7', 'fr', 'a French browser'],
    ['en-GB,en;q=0.9,fr;q=0.8', 'en', 'a British browser'],
    ['de,fr;q=0.1', 'fr', 'the only supported one'],
    ['de,nl', 'en', 'none supported'],
    ['*', 'en', 'any'],
    ['en;q=0.5,fr;q=0.6', 'fr', 'weights, not order'],
    ['en,fr', 'en', 'equal weights: the first'],
    ['fr;q=0', 'en', 'excluded'],
    ['fr;q=0,*', 'en', 'any other'],
    [',,;q=,fr;q=x', 'en', 'invalid'],
    ['x'.repeat(16_000), 'en', 'very long'],
    [`fr,${'a,'.repeat(8_000)}`, 'fr', 'very long, with the language at the start'],
    [`${'a,'.repeat(8_000)}fr`, 'en', 'very long, with the language at the end, which is not read'],
    [`fr;q=0.5,en;q=0.1,${' '.repeat(179)},fr;q=0.05`, 'fr', 'a member that the limit cuts is not read'],
  ]
  for (const [header, language, why] of cases) {
    t.equal(chooseLanguage(header), language, why)
    t.equal(chooseLanguage(header), language, `${why}, cached`)
  }
})
