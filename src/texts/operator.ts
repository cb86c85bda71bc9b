import type { CoherenceState, EntryState, StoreState } from 'fastify-vitrine/cache'
import type { Language } from '../languages.js'

/** What the operator page says. Names that orders and logs use, such as those of tags, are the same in every language. */
export interface OperatorTexts {
  readonly title: string
  readonly signIn: string
  readonly signInWhy: string
  readonly token: string
  readonly wrongToken: string
  readonly sessionEnded: string
  readonly signOut: string
  readonly live: string
  readonly notLive: string
  readonly pause: string
  readonly refresh: string
  readonly lastMinutes: (minutes: number) => string
  readonly now: string
  readonly numbers: {
    readonly requests: string
    readonly requestsUnit: string
    readonly hits: string
    readonly edge: string
    readonly memory: string
    readonly redis: string
    readonly hitsOf: (hits: string, asked: string) => string
    readonly noneAsked: string
    readonly saved: string
    readonly savedOf: (loads: string) => string
    readonly latency: string
    readonly store: string
    readonly memoryUse: string
    readonly cacheMemory: (entries: string) => string
    readonly edgeMemory: (responses: string) => string
    readonly of: (used: string, most: string) => string
  }
  readonly breaker: { readonly none: string; readonly closed: string; readonly open: string }
  readonly coherence: Readonly<Record<CoherenceState, string>>
  readonly upstream: {
    readonly title: string
    readonly answers: string
    readonly fails: (since: string, reason: string) => string
    readonly notAsked: string
  }
  readonly queued: (purges: string) => string
  readonly failures: string
  readonly families: {
    readonly title: string
    readonly none: string
    readonly family: string
    readonly reads: string
    readonly hitShare: string
    readonly loads: string
    readonly failed: string
    readonly loadTime: string
  }
  readonly lookUp: {
    readonly title: string
    readonly key: string
    readonly hint: string
    readonly submit: string
    readonly standing: Readonly<Record<EntryState, string>>
    readonly inMemory: string
    readonly inRedis: string
    readonly nothing: string
    readonly unknown: string
    readonly 'memory-only': string
    readonly removed: string
    readonly age: (words: string) => string
    readonly freshUntil: string
    readonly notFresh: string
    readonly staleUntil: string
    readonly tags: string
    readonly noTags: string
    readonly isLoading: string
    readonly isPaused: string
  }
  readonly purge: {
    readonly title: string
    readonly kind: string
    readonly tag: string
    readonly key: string
    readonly name: string
    readonly hint: string
    readonly hard: string
    readonly submit: string
    readonly confirmTitle: string
    readonly confirm: (kind: string, name: string) => string
    readonly soft: string
    readonly hardMeans: string
    readonly doIt: string
    readonly cancel: string
    readonly done: (kind: string, name: string) => string
    /** Without a Redis, and so without others who would hear of it. */
    readonly doneHere: (kind: string, name: string) => string
    /** What an order that cannot be wants instead. */
    readonly wrong: string
    /** What there is to be purged of a key. */
    readonly nothingKept: string
    readonly queued: (kind: string, name: string) => string
  }
  readonly log: {
    readonly title: string
    readonly none: string
    readonly store: Readonly<Record<StoreState, string>>
    readonly breakerOpen: string
    readonly breakerClosed: string
    readonly upstreamFails: (reason: string) => string
    readonly upstreamAnswers: string
    readonly purged: (names: string, isHard: boolean, isQueued: boolean) => string
  }
}

export const operatorTexts: Readonly<Record<Language, OperatorTexts>> = {
  en: {
    title: 'Cache',
    signIn: 'Sign in',
    signInWhy: 'This page is for operators.',
    token: 'Operator token',
    wrongToken: 'This is not the token.',
    sessionEnded: 'The session has ended. Nothing was done: sign in, and order it again.',
    signOut: 'Sign out',
    live: 'Live',
    notLive: 'Not live: trying to connect again',
    pause: 'Pause',
    refresh: 'Refresh',
    lastMinutes: (minutes) => `The last ${minutes} minutes`,
    now: 'now',
    numbers: {
      requests: 'Requests',
      requestsUnit: 'a second, last minute',
      hits: 'Answered from what is kept, last minute',
      edge: 'Edge',
      memory: 'Memory',
      redis: 'Redis',
      hitsOf: (hits, asked) => `${hits} of ${asked}`,
      noneAsked: 'not asked',
      saved: 'Upstream loads saved',
      savedOf: (loads) => `${loads} made`,
      latency: 'Response time, last minute',
      store: 'Redis',
      memoryUse: 'Memory',
      cacheMemory: (entries) => `Entries of data: ${entries}`,
      edgeMemory: (responses) => `Resources at the edge: ${responses}`,
      of: (used, most) => `${used} of ${most}`,
    },
    breaker: {
      none: 'There is no Redis: this process keeps everything to itself.',
      closed: 'Redis is used.',
      open: 'Redis is left alone: it fails, or is too slow. It is tried again twice a second.',
    },
    coherence: {
      'memory-only': 'Nobody else changes what is kept.',
      tracking: 'Changes made by others are heard of at once.',
      polling: 'Nothing proves that changes made by others are heard of: memory is trusted for a second.',
      disconnected: 'Changes made by others are not heard of: memory keeps its own lifetimes.',
    },
    upstream: {
      title: 'Marketplace',
      answers: 'The marketplace answers.',
      fails: (since, reason) => `The marketplace fails since ${since}: ${reason}`,
      notAsked: 'The marketplace was not asked yet.',
    },
    queued: (purges) => `Purges that wait for Redis: ${purges}`,
    failures: 'Reads and writes that Redis did not do, since the start',
    families: {
      title: 'Busiest keys, last minute',
      none: 'Nothing was read.',
      family: 'Kind of key',
      reads: 'Reads',
      hitShare: 'Hits',
      loads: 'Loads',
      failed: 'Failed',
      loadTime: 'Time',
    },
    lookUp: {
      title: 'Look a key up',
      key: 'Key',
      hint: 'sellers_all, catalogs_seller_ and an id',
      submit: 'Look up',
      standing: {
        fresh: 'A read is answered at once.',
        'stale-while-revalidate': 'Stale: a read is answered at once while it is loaded anew behind.',
        'stale-if-error': 'Stale: a read waits for the load, and is answered with this when that is slow or fails.',
        purged: 'Purged, or changed by somebody else: a read loads, and is answered with this only when that fails.',
        expired: 'There is nothing in memory to serve: a read asks Redis, if there is one, and then loads.',
      },
      inMemory: 'In memory',
      inRedis: 'In Redis',
      nothing: 'Nothing.',
      unknown: 'Redis could not be asked.',
      'memory-only': 'There is no Redis.',
      removed: 'It was purged.',
      age: (words) => `Loaded ${words}`,
      freshUntil: 'fresh until',
      notFresh: 'not fresh any more',
      staleUntil: 'served stale until',
      tags: 'tags',
      noTags: 'no tags',
      isLoading: 'A load is under way.',
      isPaused: 'Loading failed lately and is left alone for a moment.',
    },
    purge: {
      title: 'Purge',
      kind: 'What',
      tag: 'Tag',
      key: 'Key',
      name: 'Its name',
      hint: 'Tags: sellers, catalogs, seller: and an id',
      hard: 'Also remove the copy for when the marketplace fails (hard)',
      submit: 'Purge …',
      confirmTitle: 'Purge this?',
      confirm: (kind, name) => `${kind} ${name}`,
      soft: 'The next read asks the marketplace again. If that fails, the old copy is served.',
      hardMeans:
        'Hard: the next read asks the marketplace again. If that fails there is nothing to serve: visitors get an error.',
      doIt: 'Purge',
      cancel: 'Leave it',
      nothingKept: 'Nothing is kept under this key: is it the right one?',
      done: (kind, name) => `${kind} ${name} is purged, everywhere.`,
      doneHere: (kind, name) => `${kind} ${name} is purged, in this process: without Redis no other one hears of it.`,
      wrong:
        'Nothing was purged. A tag has 1 to 128 characters, no spaces, and is not *; a key has 1 to 512 characters.',
      queued: (kind, name) =>
        `${kind} ${name} is purged here. The other processes hear of it when Redis is back; if this one ends before, they do not.`,
    },
    log: {
      title: 'Changes',
      none: 'Nothing has changed since the start.',
      store: {
        tracking: 'Changes made by others are heard of.',
        polling: 'Changes made by others may go unheard.',
        disconnected: 'Redis is away.',
        reconnected: 'Redis is back.',
        flushed: 'Redis was emptied.',
        'purges-sent': 'The purges that waited for Redis are done everywhere.',
      },
      breakerOpen: 'Redis is left alone.',
      breakerClosed: 'Redis is used again.',
      upstreamFails: (reason) => `The marketplace fails: ${reason}`,
      upstreamAnswers: 'The marketplace answers again.',
      purged: (names, isHard, isQueued) => `Purged${isHard ? ' hard' : ''}${isQueued ? ', queued' : ''}: ${names}`,
    },
  },
  fr: {
    title: 'Cache',
    signIn: 'Se connecter',
    signInWhy: 'Cette page est réservée aux exploitants.',
    token: 'Jeton d’exploitant',
    wrongToken: 'Ce n’est pas le jeton.',
    sessionEnded: 'La session est finie. Rien n’a été fait : connectez-vous, puis recommencez.',
    signOut: 'Déconnexion',
    live: 'En direct',
    notLive: 'Plus en direct : nouvelle tentative de connexion',
    pause: 'Pause',
    refresh: 'Actualiser',
    lastMinutes: (minutes) => `Les ${minutes} dernières minutes`,
    now: 'maintenant',
    numbers: {
      requests: 'Requêtes',
      requestsUnit: 'par seconde, dernière minute',
      hits: 'Réponses sans rien demander, dernière minute',
      edge: 'Bord',
      memory: 'Mémoire',
      redis: 'Redis',
      hitsOf: (hits, asked) => `${hits} sur ${asked}`,
      noneAsked: 'pas sollicité',
      saved: 'Chargements épargnés',
      savedOf: (loads) => `faits : ${loads}`,
      latency: 'Temps de réponse, dernière minute',
      store: 'Redis',
      memoryUse: 'Mémoire',
      cacheMemory: (entries) => `Entrées de données : ${entries}`,
      edgeMemory: (responses) => `Ressources au bord : ${responses}`,
      of: (used, most) => `${used} sur ${most}`,
    },
    breaker: {
      none: 'Il n’y a pas de Redis : ce processus garde tout pour lui.',
      closed: 'Redis est utilisé.',
      open: 'Redis est laissé de côté : il échoue ou est trop lent. Il est réessayé deux fois par seconde.',
    },
    coherence: {
      'memory-only': 'Personne d’autre ne change ce qui est gardé.',
      tracking: 'Les changements des autres sont connus aussitôt.',
      polling: 'Rien ne prouve que les changements des autres soient connus : la mémoire vaut une seconde.',
      disconnected: 'Les changements des autres ne sont pas connus : la mémoire garde ses propres durées.',
    },
    upstream: {
      title: 'Place de marché',
      answers: 'La place de marché répond.',
      fails: (since, reason) => `La place de marché échoue depuis ${since}\u00a0: ${reason}`,
      notAsked: 'La place de marché n’a pas encore été sollicitée.',
    },
    queued: (purges) => `Purges qui attendent Redis : ${purges}`,
    failures: 'Lectures et écritures que Redis n’a pas faites, depuis le démarrage',
    families: {
      title: 'Clés les plus lues, dernière minute',
      none: 'Rien n’a été lu.',
      family: 'Clé',
      reads: 'Lues',
      hitShare: 'Succès',
      loads: 'Charges',
      failed: 'Échecs',
      loadTime: 'Durée',
    },
    lookUp: {
      title: 'Consulter une clé',
      key: 'Clé',
      hint: 'sellers_all, catalogs_seller_ suivi d’un identifiant',
      submit: 'Consulter',
      standing: {
        fresh: 'Une lecture reçoit sa réponse aussitôt.',
        'stale-while-revalidate': 'Périmée : une lecture reçoit sa réponse aussitôt, pendant un nouveau chargement.',
        'stale-if-error': 'Périmée : une lecture attend le chargement, et reçoit ceci s’il tarde ou échoue.',
        purged: 'Purgée, ou changée par quelqu’un d’autre : une lecture charge, et ne reçoit ceci qu’en cas d’échec.',
        expired: 'Rien à servir en mémoire : une lecture demande à Redis, s’il y en a un, puis charge.',
      },
      inMemory: 'En mémoire',
      inRedis: 'Dans Redis',
      nothing: 'Rien.',
      unknown: 'Redis n’a pas pu être interrogé.',
      'memory-only': 'Il n’y a pas de Redis.',
      removed: 'Elle a été purgée.',
      age: (words) => `Chargée ${words}`,
      freshUntil: 'fraîche jusqu’à',
      notFresh: 'plus fraîche',
      staleUntil: 'servie périmée jusqu’à',
      tags: 'étiquettes',
      noTags: 'sans étiquette',
      isLoading: 'Un chargement est en cours.',
      isPaused: 'Le chargement vient d’échouer et attend un moment.',
    },
    purge: {
      title: 'Purger',
      kind: 'Quoi',
      tag: 'Étiquette',
      key: 'Clé',
      name: 'Son nom',
      hint: 'Étiquettes : sellers, catalogs, seller: suivi d’un identifiant',
      hard: 'Retirer aussi la copie de secours pour les pannes de la place de marché (hard)',
      submit: 'Purger…',
      confirmTitle: 'Purger ceci ?',
      confirm: (kind, name) => `${kind} ${name}`,
      soft: 'La prochaine lecture redemande à la place de marché. En cas d’échec, l’ancienne copie est servie.',
      hardMeans:
        'Hard : la prochaine lecture redemande à la place de marché. En cas d’échec, il n’y a rien à servir : les visiteurs voient une erreur.',
      doIt: 'Purger',
      cancel: 'Laisser',
      nothingKept: 'Rien n’est gardé sous cette clé : est-ce la bonne ?',
      done: (kind, name) => `${kind} ${name} : purge faite partout.`,
      doneHere: (kind, name) =>
        `${kind} ${name} : purge faite dans ce processus ; sans Redis, aucun autre ne l’apprend.`,
      wrong:
        'Rien n’a été purgé. Une étiquette a de 1 à 128 caractères, sans espace, et n’est pas * ; une clé a de 1 à 512 caractères.',
      queued: (kind, name) =>
        `${kind} ${name} : purge faite ici. Les autres processus l’apprendront au retour de Redis, sauf si celui-ci s’arrête avant.`,
    },
    log: {
      title: 'Changements',
      none: 'Rien n’a changé depuis le démarrage.',
      store: {
        tracking: 'Les changements des autres sont connus.',
        polling: 'Les changements des autres peuvent échapper.',
        disconnected: 'Redis est absent.',
        reconnected: 'Redis est de retour.',
        flushed: 'Redis a été vidé.',
        'purges-sent': 'Les purges qui attendaient Redis sont faites partout.',
      },
      breakerOpen: 'Redis est laissé de côté.',
      breakerClosed: 'Redis est de nouveau utilisé.',
      upstreamFails: (reason) => `La place de marché échoue : ${reason}`,
      upstreamAnswers: 'La place de marché répond de nouveau.',
      purged: (names, isHard, isQueued) =>
        `Purgé${isHard ? ' (hard)' : ''}${isQueued ? ', en attente' : ''} : ${names}`,
    },
  },
}
