import type { Shown, Texts } from './english.js'

const number = new Intl.NumberFormat('fr').format

/** Texts of the pages in French. */
export const french: Texts = {
  language: 'fr',
  locale: 'fr-FR',
  shell: {
    skip: 'Aller au contenu',
    site: 'Site',
    heading: 'Les vendeurs et leurs ventes à venir',
    offline: 'Pas de connexion. Veuillez réessayer.',
  },
  sellers: {
    title: 'Vendeurs',
    search: 'Rechercher un vendeur',
    name: 'Nom',
    customerDisplayId: 'Code client exact',
    submit: 'Rechercher',
    showAll: 'Afficher tous les vendeurs',
    shown: (shown) => (shown.total === 1 ? '1 vendeur' : `${range(shown)} vendeurs`),
    found: (shown) => (shown.total === 1 ? '1 vendeur trouvé' : `${range(shown)} vendeurs trouvés`),
    none: 'La place de marché n’a encore aucun vendeur.',
    noneFound: 'Aucun vendeur ne correspond à cette recherche.',
    noneOnPage,
    pages: 'Pages de vendeurs',
    pageSizes: 'Vendeurs par page',
  },
  events: {
    title: 'Ventes à venir',
    choose: 'Sélectionnez un vendeur pour voir ses ventes à venir.',
    sellerOf: (id) => `Vendeur ${id}`,
    back: 'Retour à la liste',
    id: (id) => `réf. ${id}`,
    timeZone: (zone) => `fuseau horaire ${zone}`,
    search: 'Rechercher une vente',
    titleField: 'Titre',
    submit: 'Rechercher',
    showAll: 'Afficher toutes les ventes',
    shown: (shown) => (shown.total === 1 ? '1 vente à venir' : `${range(shown)} ventes à venir`),
    found: (shown) => (shown.total === 1 ? '1 vente à venir trouvée' : `${range(shown)} ventes à venir trouvées`),
    none: 'Aucune vente à venir. Les ventes passées ne sont pas affichées.',
    noneFound: 'Aucune vente à venir ne porte ce titre.',
    noneOnPage,
    unlisted: 'La place de marché n’a aucun vendeur avec cet identifiant.',
    starts: (day) => `commence ${day}`,
    pages: 'Pages de ventes',
    pageSizes: 'Ventes par page',
  },
  pager: {
    position: (page, pages) => `Page ${number(page)} sur ${number(pages)}`,
    first: 'Début',
    prev: 'Précédente',
    next: 'Suivante',
    last: 'Fin',
    perPage: 'Par page',
    lastPage: (pages) => `Aller à la page ${number(pages)}`,
  },
  stale: {
    asOf: 'Dernier état\u00a0:',
    failing: 'La place de marché ne répond pas.',
    refreshing: 'Une liste plus récente est en cours de chargement.',
  },
  problem: {
    retry: 'Réessayer',
    home: 'Retour aux vendeurs',
    request: 'Requête',
    status: (status) => `Erreur ${status}`,
    headings: {
      400: 'Cette adresse n’est pas valide',
      404: 'Page introuvable',
      429: 'Trop de requêtes',
      502: 'La place de marché a envoyé une réponse non valide',
      503: 'La place de marché est indisponible',
      504: 'La place de marché ne répond pas à temps',
    },
    clientError: 'Cette requête ne peut pas être traitée',
    serverError: 'Une erreur s’est produite',
    advice: {
      400: 'Veuillez corriger :',
      404: 'L’adresse est peut-être mal saisie ou n’est plus à jour.',
      429: 'Veuillez patienter une minute, puis réessayer.',
      502: 'Veuillez réessayer dans un instant.',
      503: 'Veuillez réessayer dans un instant.',
      504: 'Veuillez réessayer dans un instant.',
    },
    clientErrorAdvice: 'Veuillez revenir en arrière et réessayer.',
    serverErrorAdvice: 'L’erreur a été enregistrée. Veuillez réessayer dans un instant.',
    fields: {
      page: 'doit être un nombre entier à partir de 1',
      page_size: 'doit être un nombre entier de 1 à 100',
      list_page: 'doit être un nombre entier à partir de 1',
      list_page_size: 'doit être un nombre entier de 1 à 100',
      seller_id: 'doit avoir de 1 à 64 lettres, chiffres, traits d’union ou tirets bas',
      name: 'doit avoir 200 caractères au plus',
      customer_display_id: 'doit avoir 200 caractères au plus',
      title: 'doit avoir 200 caractères au plus',
      list_name: 'doit avoir 200 caractères au plus',
      list_customer_display_id: 'doit avoir 200 caractères au plus',
    },
  },
}

function range({ from, to, total }: Shown): string {
  return `${number(from)}${to > from ? ` à ${number(to)}` : ''} sur ${number(total)}`
}

function noneOnPage(pages: number): string {
  return pages === 1 ? 'La liste n’a qu’une page.' : `La liste n’a que ${number(pages)} pages.`
}
