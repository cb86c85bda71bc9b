import t from 'tap'
import { chooseLanguage } from '../../../src/texts/languages.js'

t.test('a page is in the language of ours that is liked best, and in English for those who ask for none', async (t) => {
  const wishes: [acceptLanguage: string | undefined, language: string, why: string][] = [
    [undefined, 'en', 'no field'],
    ['', 'en', 'an empty one'],
    ['fr', 'fr', 'the language itself'],
    ['FR', 'fr', 'in any case'],
    ['fr-CA', 'fr', 'a region of it'],
    ['fr-FR,fr;q=0.9,en-US;q=0.8,en;q=0.7', 'fr', 'as a French browser asks'],
    ['en-GB,en;q=0.9,fr;q=0.8', 'en', 'as a British one does'],
    ['de,fr;q=0.1', 'fr', 'the only one that we have'],
    ['de,nl', 'en', 'none that we have'],
    ['*', 'en', 'any'],
    ['en;q=0.5,fr;q=0.6', 'fr', 'weights count, not the order'],
    ['en,fr', 'en', 'equals: the first'],
    ['fr;q=0', 'en', 'refused'],
    ['fr;q=0,*', 'en', 'any but this'],
    [',,;q=,fr;q=x', 'en', 'rubbish'],
    ['x'.repeat(16_000), 'en', 'a lot of it'],
  ]
  for (const [wish, language, why] of wishes) {
    t.equal(chooseLanguage(wish), language, why)
    t.equal(chooseLanguage(wish), language, `${why}, asked again`)
  }
})
