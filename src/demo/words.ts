import type { Random } from './random.js'

/** Phrases by symbol. A `{symbol}` in a phrase is replaced by one of its phrases. */
export type Vocabulary = Readonly<Record<string, readonly string[]>>

/** Where a seller is, with the language, currency and time zone that follow. */
export interface Place {
  city: string
  /** ISO 3166-1 alpha-2. */
  country: string
  language: 'en' | 'fr'
  /** ISO 4217. */
  currency: string
  /** RFC 3339 offset from UTC, without daylight saving. */
  offset: string
}

/** Each trade has `…_name`, `…_title` and `…_about` phrases in both vocabularies. */
export type Trade = 'auction' | 'gallery' | 'flea' | 'flash'
export const trades: readonly Trade[] = ['auction', 'auction', 'gallery', 'flea', 'flash']

/** The first sellers: one without catalogs, one with many, and names that test the layout. */
export const landmarks: readonly { name: string; city: string; trade: Trade; catalogs: number }[] = [
  { name: "L'Écritoire & Fils, livres anciens", city: 'Besançon', trade: 'auction', catalogs: 38 },
  { name: 'Étude Lefèvre, Saint-Aubin & Associés', city: 'Lyon', trade: 'auction', catalogs: 600 },
  { name: 'Galerie du Quai Neuf', city: 'Nantes', trade: 'gallery', catalogs: 0 },
  { name: "O'Connell & Daughters Auctioneers", city: 'Galway', trade: 'auction', catalogs: 64 },
  {
    name: 'Société coopérative des brocanteurs, antiquaires et chineurs réunis de la rive gauche et de ses environs',
    city: 'Bordeaux',
    trade: 'flea',
    catalogs: 212,
  },
  { name: 'The Twelve O’Clock Sale', city: 'Brighton', trade: 'flash', catalogs: 27 },
]

export const places: readonly Place[] = [
  ...placesIn('FR', 'fr', 'EUR', '+01:00', 'Amiens, Angers, Avignon, Béziers, Besançon, Bordeaux, Brest, Caen, Dijon'),
  ...placesIn('FR', 'fr', 'EUR', '+01:00', 'Évreux, Grenoble, Lille, Limoges, Lyon, Marseille, Nantes, Orléans, Paris'),
  ...placesIn('BE', 'fr', 'EUR', '+01:00', 'Bruxelles, Liège, Namur, Tournai'),
  ...placesIn('CH', 'fr', 'CHF', '+01:00', 'Fribourg, Genève, Lausanne, Neuchâtel'),
  ...placesIn('CA', 'fr', 'CAD', '-05:00', 'Montréal, Québec, Trois-Rivières'),
  ...placesIn('GB', 'en', 'GBP', 'Z', 'Bath, Brighton, Bristol, Edinburgh, Leeds, London, Norwich, Oxford, York'),
  ...placesIn('IE', 'en', 'EUR', 'Z', 'Cork, Dublin, Galway, Kilkenny'),
  ...placesIn('US', 'en', 'USD', '-05:00', 'Boston, Charleston, New York, Philadelphia, Savannah'),
  ...placesIn('US', 'en', 'USD', '-08:00', 'Portland, San Francisco, Seattle'),
  ...placesIn('IN', 'en', 'INR', '+05:30', 'Jaipur, Kolkata, Mumbai'),
  ...placesIn('AU', 'en', 'AUD', '+10:00', 'Hobart, Melbourne, Sydney'),
]

export const vocabularies: Readonly<Record<Place['language'], Vocabulary>> = {
  fr: vocabulary(`
    auction_name: Hôtel des ventes de {city} | Maison {surname} | {surname} & Associés | Étude {surname}-{surname}
      | {surname} {surname} Enchères | Salle des ventes {surname}, {city} | Maître {first} {surname}, commissaire-priseur
    gallery_name: Galerie {surname} | Galerie {first} {surname} | Galerie {surname} & {surname}
      | L'Atelier de {first}, {city} | Librairie-galerie {surname} | Cabinet d'estampes {surname}, {city}
    flea_name: Les Puces de {city} | Brocante {surname} | Le Grenier de {first}, {city} | Vide-greniers du {quarter}, {city}
      | Aux Trésors de {first}, {city} | Les Chineurs du {quarter}, {city} | Antiquités {surname} & Fils
    flash_name: Ventes privées {surname} | L'Entrepôt de {city} | La Réserve {surname} | {first} & {first}, ventes éphémères
      | Le Déstockage du {quarter}, {city} | Comptoir {surname}, {city}
    auction_title: {subject} | {subject}, {subject} | Vente courante : {subject} | Vente cataloguée : {subject}
      | Collection de Mme {surname} : {subject} | Succession {surname}, {part} partie | Bibliothèque de M. {surname}, {part} partie
      | {subject}, vacation du {hour} | Vente judiciaire : {seized} | Mobilier et souvenirs {house}
      | Collection {first} {surname} : {subject}, {subject}, souvenirs de voyage, le tout provenant {house},
        vendu à {city} pour la famille
    gallery_title: {first} {surname}, peintures récentes | {first} {surname} : {mood} | {mood} | Autour de {first} {surname}
      | {subject} : un choix de la galerie | Vernissage : {first} {surname} et {first} {surname}
    flea_title: Vide-greniers du {quarter} | Grande brocante de {city} | Braderie des commerçants du {quarter}
      | Bourse aux {swap} | Les puces du {quarter} | Réderie du {quarter} | Déballage : {subject} | Vide-maison rue {surname}
    flash_title: Vente flash : {goods} | {goods}, derniers jours | Fins de série : {goods} | 48 heures : {goods} et {goods}
      | Déstockage avant travaux : {goods} | Vente privée {surname} : {goods} | Réouverture : {goods} à prix d'atelier
    auction_about: Commissaires-priseurs à {city}, d'une famille du métier. | Ventes aux enchères publiques, à {city} et en ligne.
    gallery_about: Une galerie de {city} où l'on prend le temps de regarder. | Peintures, dessins et éditions, à {city}.
    flea_about: Brocantes et vide-greniers à {city} et alentour. | On chine à {city} par tous les temps.
    flash_about: Des ventes courtes, de petites quantités, une adresse à {city}. | Fins de série et prototypes, depuis {city}.
    practice: Exposition la veille de chaque vente, entrée libre. | Estimations gratuites, le mardi sur rendez-vous.
    | Café offert aux lève-tôt. | Catalogue imprimé envoyé sur demande.
    delivery: Retrait sur place sous huit jours. | Expédition soignée en Europe. | Pas d'expédition : venez avec un carton.
    subject: bijoux et montres | livres anciens et manuscrits | tableaux modernes | Art déco et design | vins et spiritueux
      | arts d'Asie | mobilier du XVIIIe siècle | cartes postales et timbres | monnaies et médailles | automobiles de collection
      | bandes dessinées | céramiques et verreries | tapis et tapisseries | jouets anciens | photographies | estampes
      | archéologie | instruments de musique | horlogerie | haute couture et accessoires | argenterie | affiches | vinyles
    seized: matériel et véhicules | cave d'un restaurant | stock d'une quincaillerie | fonds de librairie | atelier de reliure
    house: d'une malouinière | d'un presbytère | d'une ferme fortifiée | d'un appartement parisien | d'un château du Perche
      | d'une villa balnéaire | d'un hôtel particulier
    goods: linge de maison | lampes d'architecte | vaisselle dépareillée | manteaux de laine | vélos remis à neuf | literie
      | maroquinerie | café de spécialité | papeterie | chaussures cousues | fauteuils d'exposition | couteaux forgés
    swap: jouets | livres | vélos | disques | plantes | vêtements d'enfants
    mood: Le bruit des marées | À contre-jour | Paysages sans personne | L'été prochain | Encre et sel | Ce qui reste du bleu
    quarter: Faubourg | Vieux Port | canal | Pont-Neuf | marché couvert | quartier des Tanneurs | Moulin à eau | jardin botanique
    part: première | deuxième | troisième | quatrième
    hour: matin | soir | samedi | dimanche
    first: Léa | Zoé | Amélie | Joséphine | Gaël | Théo | Hélène | Marguerite | Simone | Augustin | Anaïs | Léonie | Rémi | Inès
    surname: Lefèvre | Béraud | Chauvet | Garnier | Mercier | Roussel | Gaultier | Étienne | Néel | Vasseur | Fontaine | Aubry
      | Desmarets | Noël | Perrin | Castelnau | Bréchet | Lemaître | Tessier | Guérin | Duchêne | Clément | Maréchal | Rivière
      | Sénéchal | Poirier | Thévenot | Jourdain | Vidal | Cazenave | Le Goff | Bonnefoy`),
  en: vocabulary(`
    auction_name: {surname} & Sons Auctioneers | {city} Salerooms | {surname}'s of {city} | {surname}, {surname} & Co.
      | {first} {surname} Auctions | The {city} Auction Rooms | {surname} & {surname} Valuers
    gallery_name: {surname} Gallery | {surname} & {surname} Fine Art | The {surname} Rooms, {city} | {first} {surname} Prints
      | {quarter} Gallery, {city}
    flea_name: {city} Flea Market | {surname}'s Attic | {first}'s Yard Sales, {city} | {surname} & {surname} Estate Sales
      | The {quarter} Boot Fair, {city} | {surname}'s Antiques & Curios
    flash_name: {surname} Outlet | Last Call {city} | {first} & {first} Sample Sales | The {quarter} Stockroom, {city}
      | {surname} Private Sales
    auction_title: {subject} | {subject}; {subject} | Timed auction: {subject} | The {surname} collection: {subject}
      | The library of the late {first} {surname}, {part} portion | Contents of {house}
      | {subject}: the {hour} session | Two-day country sale: {subject}, {subject}, garden statuary
    gallery_title: {first} {surname}: {mood} | {first} {surname}, new paintings | {mood} | {subject}: from the gallery's drawers
      | Private view: {first} {surname} & {first} {surname}
    flea_title: {quarter} flea market | Car boot sale, {quarter} | Estate sale: the {surname} house | {swap} swap meet
      | Attic clear-out: {subject} | {hour} antiques fair, {city}
    flash_title: Flash sale: {goods} | {goods}, last pairs and odd sizes | 48 hours of {goods} | {surname} sample sale: {goods}
      | Warehouse clearance: {goods} and {goods}
    auction_about: Auctioneers and valuers in {city}, family-run. | A saleroom in {city}, with live bidding online.
    gallery_about: A gallery in {city} for painting, drawing and print. | Three small rooms in {city}.
    flea_about: Fairs and house clearances around {city}. | Come early, bring cash: {city}'s liveliest pitches.
    flash_about: Short sales and small quantities, from {city}. | End of line, never end of the world; from {city}.
    practice: Viewing the day before each sale. | Free valuations on Tuesdays. | Printed catalogues on request.
    delivery: Collection within eight days. | Careful shipping worldwide. | No shipping: bring a van.
    subject: fine jewellery and watches | antiquarian books and maps | modern British art | Art Deco and design | wine and whisky
      | Asian works of art | Georgian furniture | stamps and postcards | coins and medals | classic cars | comics and toys
      | studio ceramics and glass | rugs and textiles | scientific instruments | photographs | old master prints | clocks
      | vintage fashion | silver and vertu | travel posters | natural history | musical instruments | vinyl records
    house: a Georgian rectory | a ferryman's cottage | a house near {city} | a villa by the sea | an actor's apartment
      | a country vicarage | a shuttered hotel
    goods: linen sheets | desk lamps | seconds from the pottery | wool coats | restored bicycles | mattresses | leather goods
      | single-origin coffee | stationery | welted shoes | showroom armchairs | kitchen knives
    swap: toy | book | bicycle | record | plant | camera
    mood: Low Tide | Against the Light | Rooms Without People | Next Summer | Salt & Ink | What the Blue Left
    quarter: Old Harbour | Canal Basin | Corn Exchange | Market Square | Tannery Lane | Mill Race | Botanic Garden
    part: first | second | third | final
    hour: morning | evening | Saturday | Sunday
    first: Ada | Bea | Chloë | Edith | Florence | Hamish | Imogen | Jasper | Maeve | Noor | Oscar | Priya | Rory | Zoë
    surname: Ashworth | Pemberton | Whitlock | Hargreaves | O'Neill | Fairfax | Bellamy | Thornbury | Kingsley | Holloway
      | Sinclair | Winslow | Calloway | Prescott | Langford | Ellsworth | D'Arcy | Marlowe | Radcliffe | Whitaker | Quigley
      | McAllister | Mehta | Fitzgerald | Lindström | Okafor | Delgado | Tremaine`),
}

/** A random phrase for a symbol, capitalized. */
export function compose(words: Vocabulary, symbol: string, random: Random): string {
  const phrase = expand(words, symbol, random, new Set()).replace(/\bde (?=[AEIOUÉ]|Hé)/g, "d'")
  return phrase.charAt(0).toUpperCase() + phrase.slice(1)
}

function expand(words: Vocabulary, symbol: string, random: Random, used: Set<string>): string {
  const phrases = words[symbol]
  if (phrases === undefined) throw new Error(`the demo's vocabulary has no {${symbol}}`)
  let phrase = random.pick(phrases)
  if (used.has(phrase) && phrases.length > 1) phrase = random.pick(phrases.filter((other) => other !== phrase))
  used.add(phrase)
  return phrase.replace(/\{(\w+)\}/g, (_, inner: string) => expand(words, inner, random, used))
}

// Text, because a formatter would put each string of an array on its own line.
function vocabulary(text: string): Vocabulary {
  const definitions = text.trim().split(/\n\s*(?=\w+: )/)
  return Object.fromEntries(
    definitions.map((definition) => {
      const colon = definition.indexOf(':')
      const phrases = definition.slice(colon + 1).split('|')
      return [definition.slice(0, colon), phrases.map((phrase) => phrase.trim().replace(/\s+/g, ' '))]
    }),
  )
}

function placesIn(country: string, language: Place['language'], currency: string, offset: string, cities: string) {
  return cities.split(', ').map((city): Place => ({ city, country, language, currency, offset }))
}
