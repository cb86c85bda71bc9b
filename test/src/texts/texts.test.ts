import t from 'tap'
import { textsOf } from '../../../src/texts/index.js'
import { languages } from '../../../src/texts/languages.js'

/** Texts that may be equal in both languages. */
const sameEverywhere = ['shell.site', 'stale.asOf']

t.test('every text exists in every language and is translated', async (t) => {
  const [english, ...others] = languages.map((language) => sentencesOf(textsOf(language)))
  for (const sentences of others) {
    t.strictSame([...sentences.keys()].sort(), [...(english?.keys() ?? [])].sort())
    for (const [place, sentence] of sentences) {
      t.ok(sentence.trim().length > 0, place)
      if (!sameEverywhere.includes(place)) t.not(sentence, english?.get(place), place)
    }
  }
})

t.test('numbers are formatted by language, with a singular', async (t) => {
  const [english, french] = [textsOf('en'), textsOf('fr')]
  const many = { from: 1_021, to: 1_040, total: 1_240 }
  t.equal(english.sellers.shown(many), '1,021–1,040 of 1,240 sellers')
  t.equal(french.sellers.shown(many), '1\u202f021 à 1\u202f040 sur 1\u202f240 vendeurs')
  const last = { from: 41, to: 41, total: 41 }
  t.equal(english.events.found(last), '41 of 41 upcoming events found')
  t.equal(french.events.found(last), '41 sur 41 ventes à venir trouvées')
  const one = { from: 1, to: 1, total: 1 }
  t.equal(english.events.shown(one), '1 upcoming event')
  t.equal(french.sellers.found(one), '1 vendeur trouvé')
  t.equal(english.pager.position(2, 1_200), 'Page 2 of 1,200')
  t.equal(english.sellers.noneOnPage(1), 'The list has only one page.')
  t.equal(french.sellers.noneOnPage(3), 'La liste n’a que 3 pages.')
})

/** All texts by path; functions are called with the same numbers. */
function sentencesOf(texts: object, place = ''): Map<string, string> {
  const sentences = new Map<string, string>()
  for (const [name, text] of Object.entries(texts)) {
    const at = place === '' ? name : `${place}.${name}`
    if (typeof text === 'string') sentences.set(at, text)
    else if (typeof text === 'function') sentences.set(at, String(text(example(at), 7)))
    else for (const entry of sentencesOf(text, at)) sentences.set(...entry)
  }
  return sentences
}

function example(place: string): unknown {
  return /\.(shown|found)$/.test(place) ? { from: 1, to: 5, total: 7 } : 5
}
