import { createRandom, type Random } from './random.js'
import { compose, landmarks, type Place, places, type Trade, trades, type Vocabulary, vocabularies } from './words.js'

/** A seller in the format of the marketplace API. */
export interface Seller {
  /** A readable slug, at most 60 characters of `[a-z0-9-]`. */
  id: string
  name: string
  customer_display_id: string | null
  /** ISO 3166-1 alpha-2. */
  country: string
  city: string
  email_domain: string
  /** Out of 5, one decimal. */
  rating: number
  /** RFC 3339, in UTC. */
  created_at: string
  /** Three lines. */
  description: string
}

/** A catalog in the format of the marketplace API. */
export interface Catalog {
  id: number
  seller_id: string
  title: string
  customer_catalog_id: string | null
  /** An ISO date, an RFC 3339 date-time with the seller's offset or in UTC, or null while no date is set. */
  start_date: string | null
  /** ISO 4217. */
  currency: string
  lots: number
  url: string
  description: string
}

/** A seller with the data that its catalogs are generated from. */
export interface House {
  seller: Seller
  /** Position in the list, from 1. */
  number: number
  place: Place
  trade: Trade
  words: Vocabulary
  /** Prefix of the customer ids of the seller and its catalogs. */
  code: string
  catalogCount: number
}

const dayMs = 86_400_000

/** Days after which a sale is repeated. Dates are at most half the longest period from today. */
const periodsDays = [14, 60, 240, 780]

/** With more, the vocabulary runs out of names for some cities, and the search for one would not end. */
const maxSellers = 2500

/** The first `count` sellers, oldest first, always the same. */
export function createHouses(count: number): readonly House[] {
  if (count > maxSellers) throw new RangeError(`the demo has at most ${maxSellers} sellers, not ${count}`)
  const random = createRandom(1240)
  const taken = new Set<string>()
  return Array.from({ length: count }, (_, index) => createHouse(index + 1, taken, random))
}

/**
 * All catalogs of a seller, not ordered by date. About half of them are upcoming on the UTC day of `now` (ms).
 *
 * A date does not change from day to day. Half a period after its date a sale is repeated, so there are always upcoming sales.
 */
export function catalogsOf(house: House, now: number): Catalog[] {
  const random = createRandom(house.number * 7919)
  const today = Math.floor(now / dayMs)
  return Array.from({ length: house.catalogCount }, (_, index) => createCatalog(house, index + 1, today, random))
}

/** Removes accents and case, so that the filter `etude` finds `Étude`. */
export function fold(text: string): string {
  return text
    .normalize('NFD')
    .replace(/\p{Mn}/gu, '')
    .toLowerCase()
}

function createHouse(number: number, taken: Set<string>, random: Random): House {
  const landmark = landmarks[number - 1]
  const place = random.pick(places.filter(({ city }) => landmark === undefined || landmark.city === city))
  const trade = landmark?.trade ?? random.pick(trades)
  const words = { ...vocabularies[place.language], city: [place.city] }

  let name = landmark?.name ?? compose(words, `${trade}_name`, random)
  while (taken.has(slug(name))) name = compose(words, `${trade}_name`, random)
  const id = slug(name)
  const code = initials(id)
  taken.add(id)

  const seller: Seller = {
    id,
    name,
    customer_display_id: random.chance(8) ? null : `${code}-${String(number).padStart(4, '0')}`,
    country: place.country,
    city: place.city,
    email_domain: `${id}.example`,
    rating: random.between(31, 50) / 10,
    created_at: new Date(Date.UTC(2010, 0, 4) + number * 4 * dayMs + random.below(dayMs)).toISOString(),
    description: [`${trade}_about`, 'practice', 'delivery'].map((line) => compose(words, line, random)).join('\n'),
  }
  return { seller, number, place, trade, words, code, catalogCount: landmark?.catalogs ?? catalogCount(random) }
}

function catalogCount(random: Random): number {
  if (random.chance(6)) return 0
  return random.chance(2) ? random.between(200, 600) : random.between(5, 80)
}

function createCatalog(house: House, number: number, today: number, random: Random): Catalog {
  const { seller, place, trade, words, code } = house
  const id = house.number * 1000 + number
  return {
    id,
    seller_id: seller.id,
    title: compose(words, `${trade}_title`, random),
    customer_catalog_id: random.chance(10) ? null : `${code}-C${String(number).padStart(3, '0')}`,
    start_date: startDate(place, today, random),
    currency: place.currency,
    lots: random.between(12, 640),
    url: `https://${seller.email_domain}/catalogs/${id}`,
    description: compose(words, 'practice', random),
  }
}

function startDate(place: Place, today: number, random: Random): string | null {
  const period = random.pick(periodsDays)
  const phase = random.below(period)
  const earliest = today - period / 2
  const day = phase + period * Math.ceil((earliest - phase) / period)
  const date = new Date(day * dayMs).toISOString().slice(0, 10)
  const time = `${String(random.between(9, 20)).padStart(2, '0')}:${random.pick(['00', '15', '30'])}:00`

  if (random.chance(3)) return null
  if (random.chance(50)) return date
  return random.chance(30) ? `${date}T${time}.000Z` : `${date}T${time}${place.offset}`
}

function slug(name: string): string {
  const words = fold(name).match(/[a-z0-9]+/g) ?? []
  return words.join('-').slice(0, 60).replace(/-$/, '')
}

function initials(id: string): string {
  const letters = id.split('-').map((word) => word.charAt(0))
  return letters.slice(0, 3).join('').toUpperCase()
}
