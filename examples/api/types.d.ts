// Written by `npm run docs:client` from /docs/json.
export interface paths {
  '/api/v1/sellers': {
    parameters: {
      query?: never
      header?: never
      path?: never
      cookie?: never
    }
    /**
     * Sellers
     * @description All sellers in the order of the marketplace, or those that match all filters. With a filter the marketplace itself is asked each time, so there is no older answer when it fails. A page beyond the last is empty. Parameters of other names are ignored.
     */
    get: operations['listSellers']
    put?: never
    post?: never
    delete?: never
    options?: never
    head?: never
    patch?: never
    trace?: never
  }
  '/api/v1/sellers/{seller_id}/catalogs': {
    parameters: {
      query?: never
      header?: never
      path?: never
      cookie?: never
    }
    /**
     * A seller's coming catalogs
     * @description Catalogs that start today or later, soonest first; the service decides in which time zone today is. A seller that nobody knows has none: the answer is an empty list, not a 404. With a filter the marketplace itself is asked each time, so there is no older answer when it fails. A page beyond the last is empty. Parameters of other names are ignored.
     */
    get: operations['listCatalogs']
    put?: never
    post?: never
    delete?: never
    options?: never
    head?: never
    patch?: never
    trace?: never
  }
  '/healthz': {
    parameters: {
      query?: never
      header?: never
      path?: never
      cookie?: never
    }
    /** Liveness */
    get: {
      parameters: {
        query?: never
        header?: never
        path?: never
        cookie?: never
      }
      requestBody?: never
      responses: {
        /** @description Default Response */
        200: {
          headers: {
            [name: string]: unknown
          }
          content: {
            'application/json': components['schemas']['Health']
          }
        }
      }
    }
    put?: never
    post?: never
    delete?: never
    options?: never
    head?: never
    patch?: never
    trace?: never
  }
  '/readyz': {
    parameters: {
      query?: never
      header?: never
      path?: never
      cookie?: never
    }
    /** Readiness */
    get: {
      parameters: {
        query?: never
        header?: never
        path?: never
        cookie?: never
      }
      requestBody?: never
      responses: {
        /** @description Default Response */
        200: {
          headers: {
            [name: string]: unknown
          }
          content: {
            'application/json': components['schemas']['Readiness']
          }
        }
      }
    }
    put?: never
    post?: never
    delete?: never
    options?: never
    head?: never
    patch?: never
    trace?: never
  }
  '/metrics': {
    parameters: {
      query?: never
      header?: never
      path?: never
      cookie?: never
    }
    /** Metrics in the Prometheus text format */
    get: {
      parameters: {
        query?: never
        header?: never
        path?: never
        cookie?: never
      }
      requestBody?: never
      responses: {
        /** @description Default Response */
        200: {
          headers: {
            [name: string]: unknown
          }
          content?: never
        }
      }
    }
    put?: never
    post?: never
    delete?: never
    options?: never
    head?: never
    patch?: never
    trace?: never
  }
}
export type webhooks = Record<string, never>
export interface components {
  schemas: {
    /** Seller */
    Seller: {
      /**
       * @example 4711
       * @example galerie-du-quai-neuf
       */
      id: number | string
      name: string
      /** @description Number under which customers know the seller. */
      customer_display_id: number | string | null
    }
    /** SellerListing */
    SellerListing: {
      items: components['schemas']['Seller'][]
      /** @description The page that was asked for. */
      page: number
      /** @description Items that a full page has. */
      page_size: number
      /** @description Number of pages; 0 when the list is empty. */
      pages: number
      /** @description Number of items on all pages. */
      total: number
      /**
       * @description There when this is an older answer: the marketplace could not be asked, or is being asked just now.
       * @enum {boolean}
       */
      stale?: true
      /**
       * Format: date-time
       * @description There with `stale`: when the marketplace said this.
       */
      as_of?: string
    }
    /**
     * Problem
     * @description What went wrong. RFC 9457.
     */
    Problem: {
      /** @enum {string} */
      type: 'about:blank'
      /** @description The status code's own phrase. */
      title: string
      /** @description The status of the answer. */
      status: number
      /** @description What went wrong with this request, for developers: the words may change. */
      detail: string
      /** @description The cause, for programs: these do not change. */
      code?: string
      /** @description What to look for in the log; also in `x-request-id`. */
      request_id: string
      /** @description Of a 400: each parameter that is wrong. */
      errors?: {
        /** @description The parameter that is wrong. */
        field: string
        /** @description What is wrong with it. */
        detail: string
      }[]
    }
    /** Catalog */
    Catalog: {
      /**
       * @example 4711
       * @example galerie-du-quai-neuf
       */
      id: number | string
      title: string
      /** @description Number under which customers know the catalog. */
      customer_catalog_id: number | string | null
      /** @description When the sale starts: an ISO date, or date and time with an offset, as the marketplace says it. Null never comes in this list, which has what is to come. */
      start_date: string | null
    }
    /** CatalogListing */
    CatalogListing: {
      items: components['schemas']['Catalog'][]
      /** @description The page that was asked for. */
      page: number
      /** @description Items that a full page has. */
      page_size: number
      /** @description Number of pages; 0 when the list is empty. */
      pages: number
      /** @description Number of items on all pages. */
      total: number
      /**
       * @description There when this is an older answer: the marketplace could not be asked, or is being asked just now.
       * @enum {boolean}
       */
      stale?: true
      /**
       * Format: date-time
       * @description There with `stale`: when the marketplace said this.
       */
      as_of?: string
    }
    /** Health */
    Health: {
      /** @enum {string} */
      status: 'ok'
    }
    /** Readiness */
    Readiness: {
      /** @description `degraded` when Redis is away: everything is served, some of it slower. */
      status: 'ready' | 'degraded'
      /** @description `none` when the cache was told to keep to memory. */
      redis: 'up' | 'down' | 'none'
    }
  }
  responses: never
  parameters: never
  requestBodies: never
  headers: never
  pathItems: never
}
export type $defs = Record<string, never>
export interface operations {
  listSellers: {
    parameters: {
      query?: {
        /** @description Page number, from 1. */
        page?: number
        /** @description Items a page, 1 to 100. */
        page_size?: number
        /** @description Part of the name. Blank is no filter; at most 200 characters. */
        name?: string
        /** @description The whole customer display id. Blank is no filter; at most 200 characters. */
        customer_display_id?: string
      }
      header?: {
        /** @description The `ETag` of what you have: a 304 says that it is still the same. */
        'If-None-Match'?: string
        /** @description Under which to find the request in our log. Another text than such a one is replaced. */
        'x-request-id'?: string
      }
      path?: never
      cookie?: never
    }
    requestBody?: never
    responses: {
      /** @description One page of the list. With `stale` and `as_of` it is an older answer, which you may show as such. */
      200: {
        headers: {
          /**
           * @description Addresses of the `first`, `prev`, `next` and `last` page, with the same page size and filters, relative to the address that was asked. `prev` is missing on the first page, `next` on the last. RFC 8288.
           * @example </api/v1/sellers?page=1&page_size=3>; rel="first", </api/v1/sellers?page=1&page_size=3>; rel="prev", </api/v1/sellers?page=3&page_size=3>; rel="next", </api/v1/sellers?page=414&page_size=3>; rel="last"
           */
          Link?: string
          /**
           * @description Changes with the body: send it back as `If-None-Match`. RFC 9110.
           * @example "RG9LvfnBF9gufBb3IDO8mopSyNA"
           */
          ETag?: string
          /**
           * @description `max-age`: seconds since it was made for which you need not ask again. `no-cache`: ask each time.
           * @example max-age=15
           */
          'Cache-Control'?: string
          /**
           * @description Seconds since it was made. Missing where nothing is kept: with a filter, or when it is stale.
           * @example 10
           */
          Age?: number
          /**
           * @description What our cache did: `hit`, or why it passed the request on. RFC 9211.
           * @example Vitrine; hit; ttl=290
           */
          'Cache-Status'?: string
          /**
           * @description Under which to find the request in our log: the one you sent, or a new one.
           * @example mobile-7c1f
           */
          'x-request-id'?: string
          /**
           * @description Requests that one address may send in a minute. Missing where there is no limit.
           * @example 600
           */
          'x-ratelimit-limit'?: number
          /** @description How many of them are left. */
          'x-ratelimit-remaining'?: number
          /** @description Seconds until they are all there again. */
          'x-ratelimit-reset'?: number
          [name: string]: unknown
        }
        content: {
          'application/json': components['schemas']['SellerListing']
        }
      }
      /** @description What you have, by the ETag in `If-None-Match`, is what a 200 would bring. There is no body. */
      304: {
        headers: {
          /**
           * @description Addresses of the `first`, `prev`, `next` and `last` page, with the same page size and filters, relative to the address that was asked. `prev` is missing on the first page, `next` on the last. RFC 8288.
           * @example </api/v1/sellers?page=1&page_size=3>; rel="first", </api/v1/sellers?page=1&page_size=3>; rel="prev", </api/v1/sellers?page=3&page_size=3>; rel="next", </api/v1/sellers?page=414&page_size=3>; rel="last"
           */
          Link?: string
          /**
           * @description Changes with the body: send it back as `If-None-Match`. RFC 9110.
           * @example "RG9LvfnBF9gufBb3IDO8mopSyNA"
           */
          ETag?: string
          /**
           * @description `max-age`: seconds since it was made for which you need not ask again. `no-cache`: ask each time.
           * @example max-age=15
           */
          'Cache-Control'?: string
          /**
           * @description Seconds since it was made. Missing where nothing is kept: with a filter, or when it is stale.
           * @example 10
           */
          Age?: number
          /**
           * @description What our cache did: `hit`, or why it passed the request on. RFC 9211.
           * @example Vitrine; hit; ttl=290
           */
          'Cache-Status'?: string
          /**
           * @description Under which to find the request in our log: the one you sent, or a new one.
           * @example mobile-7c1f
           */
          'x-request-id'?: string
          /**
           * @description Requests that one address may send in a minute. Missing where there is no limit.
           * @example 600
           */
          'x-ratelimit-limit'?: number
          /** @description How many of them are left. */
          'x-ratelimit-remaining'?: number
          /** @description Seconds until they are all there again. */
          'x-ratelimit-reset'?: number
          [name: string]: unknown
        }
        content?: never
      }
      /** @description A parameter is wrong, and `errors` says which: the same request will fail again. */
      400: {
        headers: {
          /**
           * @description Under which to find the request in our log: the one you sent, or a new one.
           * @example mobile-7c1f
           */
          'x-request-id'?: string
          /**
           * @description Requests that one address may send in a minute. Missing where there is no limit.
           * @example 600
           */
          'x-ratelimit-limit'?: number
          /** @description How many of them are left. */
          'x-ratelimit-remaining'?: number
          /** @description Seconds until they are all there again. */
          'x-ratelimit-reset'?: number
          [name: string]: unknown
        }
        content: {
          'application/problem+json': components['schemas']['Problem']
        }
      }
      /** @description Too many requests from this address. Nothing was asked; try again after `Retry-After`. */
      429: {
        headers: {
          /**
           * @description Seconds after which to try again, at the earliest.
           * @example 60
           */
          'Retry-After'?: number
          /**
           * @description Under which to find the request in our log: the one you sent, or a new one.
           * @example mobile-7c1f
           */
          'x-request-id'?: string
          /**
           * @description Requests that one address may send in a minute. Missing where there is no limit.
           * @example 600
           */
          'x-ratelimit-limit'?: number
          /** @description How many of them are left. */
          'x-ratelimit-remaining'?: number
          /** @description Seconds until they are all there again. */
          'x-ratelimit-reset'?: number
          [name: string]: unknown
        }
        content: {
          'application/problem+json': components['schemas']['Problem']
        }
      }
      /** @description The marketplace answered with something unusable, and there is no older answer. */
      502: {
        headers: {
          /**
           * @description Under which to find the request in our log: the one you sent, or a new one.
           * @example mobile-7c1f
           */
          'x-request-id'?: string
          /**
           * @description Requests that one address may send in a minute. Missing where there is no limit.
           * @example 600
           */
          'x-ratelimit-limit'?: number
          /** @description How many of them are left. */
          'x-ratelimit-remaining'?: number
          /** @description Seconds until they are all there again. */
          'x-ratelimit-reset'?: number
          [name: string]: unknown
        }
        content: {
          'application/problem+json': components['schemas']['Problem']
        }
      }
      /** @description The marketplace cannot be reached, and there is no older answer. Try again after `Retry-After`. */
      503: {
        headers: {
          /**
           * @description Seconds after which to try again, at the earliest.
           * @example 5
           */
          'Retry-After'?: number
          /**
           * @description Under which to find the request in our log: the one you sent, or a new one.
           * @example mobile-7c1f
           */
          'x-request-id'?: string
          /**
           * @description Requests that one address may send in a minute. Missing where there is no limit.
           * @example 600
           */
          'x-ratelimit-limit'?: number
          /** @description How many of them are left. */
          'x-ratelimit-remaining'?: number
          /** @description Seconds until they are all there again. */
          'x-ratelimit-reset'?: number
          [name: string]: unknown
        }
        content: {
          'application/problem+json': components['schemas']['Problem']
        }
      }
      /** @description The marketplace did not answer in time, and there is no older answer. Try again after `Retry-After`. */
      504: {
        headers: {
          /**
           * @description Seconds after which to try again, at the earliest.
           * @example 5
           */
          'Retry-After'?: number
          /**
           * @description Under which to find the request in our log: the one you sent, or a new one.
           * @example mobile-7c1f
           */
          'x-request-id'?: string
          /**
           * @description Requests that one address may send in a minute. Missing where there is no limit.
           * @example 600
           */
          'x-ratelimit-limit'?: number
          /** @description How many of them are left. */
          'x-ratelimit-remaining'?: number
          /** @description Seconds until they are all there again. */
          'x-ratelimit-reset'?: number
          [name: string]: unknown
        }
        content: {
          'application/problem+json': components['schemas']['Problem']
        }
      }
    }
  }
  listCatalogs: {
    parameters: {
      query?: {
        /** @description Page number, from 1. */
        page?: number
        /** @description Items a page, 1 to 100. */
        page_size?: number
        /** @description Part of the title. Blank is no filter; at most 200 characters. */
        title?: string
      }
      header?: {
        /** @description The `ETag` of what you have: a 304 says that it is still the same. */
        'If-None-Match'?: string
        /** @description Under which to find the request in our log. Another text than such a one is replaced. */
        'x-request-id'?: string
      }
      path: {
        /** @description Identifier of the seller. */
        seller_id: string
      }
      cookie?: never
    }
    requestBody?: never
    responses: {
      /** @description One page of the list. With `stale` and `as_of` it is an older answer, which you may show as such. */
      200: {
        headers: {
          /**
           * @description Addresses of the `first`, `prev`, `next` and `last` page, with the same page size and filters, relative to the address that was asked. `prev` is missing on the first page, `next` on the last. RFC 8288.
           * @example </api/v1/sellers/etude-lefevre-saint-aubin-associes/catalogs?page=1&page_size=3>; rel="first", </api/v1/sellers/etude-lefevre-saint-aubin-associes/catalogs?page=1&page_size=3>; rel="prev", </api/v1/sellers/etude-lefevre-saint-aubin-associes/catalogs?page=3&page_size=3>; rel="next", </api/v1/sellers/etude-lefevre-saint-aubin-associes/catalogs?page=101&page_size=3>; rel="last"
           */
          Link?: string
          /**
           * @description Changes with the body: send it back as `If-None-Match`. RFC 9110.
           * @example "oJTped69QvjOb94Y8YIRIM5U1S9"
           */
          ETag?: string
          /**
           * @description `max-age`: seconds since it was made for which you need not ask again. `no-cache`: ask each time.
           * @example max-age=15
           */
          'Cache-Control'?: string
          /**
           * @description Seconds since it was made. Missing where nothing is kept: with a filter, or when it is stale.
           * @example 10
           */
          Age?: number
          /**
           * @description What our cache did: `hit`, or why it passed the request on. RFC 9211.
           * @example Vitrine; hit; ttl=290
           */
          'Cache-Status'?: string
          /**
           * @description Under which to find the request in our log: the one you sent, or a new one.
           * @example mobile-7c1f
           */
          'x-request-id'?: string
          /**
           * @description Requests that one address may send in a minute. Missing where there is no limit.
           * @example 600
           */
          'x-ratelimit-limit'?: number
          /** @description How many of them are left. */
          'x-ratelimit-remaining'?: number
          /** @description Seconds until they are all there again. */
          'x-ratelimit-reset'?: number
          [name: string]: unknown
        }
        content: {
          'application/json': components['schemas']['CatalogListing']
        }
      }
      /** @description What you have, by the ETag in `If-None-Match`, is what a 200 would bring. There is no body. */
      304: {
        headers: {
          /**
           * @description Addresses of the `first`, `prev`, `next` and `last` page, with the same page size and filters, relative to the address that was asked. `prev` is missing on the first page, `next` on the last. RFC 8288.
           * @example </api/v1/sellers/etude-lefevre-saint-aubin-associes/catalogs?page=1&page_size=3>; rel="first", </api/v1/sellers/etude-lefevre-saint-aubin-associes/catalogs?page=1&page_size=3>; rel="prev", </api/v1/sellers/etude-lefevre-saint-aubin-associes/catalogs?page=3&page_size=3>; rel="next", </api/v1/sellers/etude-lefevre-saint-aubin-associes/catalogs?page=101&page_size=3>; rel="last"
           */
          Link?: string
          /**
           * @description Changes with the body: send it back as `If-None-Match`. RFC 9110.
           * @example "oJTped69QvjOb94Y8YIRIM5U1S9"
           */
          ETag?: string
          /**
           * @description `max-age`: seconds since it was made for which you need not ask again. `no-cache`: ask each time.
           * @example max-age=15
           */
          'Cache-Control'?: string
          /**
           * @description Seconds since it was made. Missing where nothing is kept: with a filter, or when it is stale.
           * @example 10
           */
          Age?: number
          /**
           * @description What our cache did: `hit`, or why it passed the request on. RFC 9211.
           * @example Vitrine; hit; ttl=290
           */
          'Cache-Status'?: string
          /**
           * @description Under which to find the request in our log: the one you sent, or a new one.
           * @example mobile-7c1f
           */
          'x-request-id'?: string
          /**
           * @description Requests that one address may send in a minute. Missing where there is no limit.
           * @example 600
           */
          'x-ratelimit-limit'?: number
          /** @description How many of them are left. */
          'x-ratelimit-remaining'?: number
          /** @description Seconds until they are all there again. */
          'x-ratelimit-reset'?: number
          [name: string]: unknown
        }
        content?: never
      }
      /** @description A parameter is wrong, and `errors` says which: the same request will fail again. */
      400: {
        headers: {
          /**
           * @description Under which to find the request in our log: the one you sent, or a new one.
           * @example mobile-7c1f
           */
          'x-request-id'?: string
          /**
           * @description Requests that one address may send in a minute. Missing where there is no limit.
           * @example 600
           */
          'x-ratelimit-limit'?: number
          /** @description How many of them are left. */
          'x-ratelimit-remaining'?: number
          /** @description Seconds until they are all there again. */
          'x-ratelimit-reset'?: number
          [name: string]: unknown
        }
        content: {
          'application/problem+json': components['schemas']['Problem']
        }
      }
      /** @description Too many requests from this address. Nothing was asked; try again after `Retry-After`. */
      429: {
        headers: {
          /**
           * @description Seconds after which to try again, at the earliest.
           * @example 60
           */
          'Retry-After'?: number
          /**
           * @description Under which to find the request in our log: the one you sent, or a new one.
           * @example mobile-7c1f
           */
          'x-request-id'?: string
          /**
           * @description Requests that one address may send in a minute. Missing where there is no limit.
           * @example 600
           */
          'x-ratelimit-limit'?: number
          /** @description How many of them are left. */
          'x-ratelimit-remaining'?: number
          /** @description Seconds until they are all there again. */
          'x-ratelimit-reset'?: number
          [name: string]: unknown
        }
        content: {
          'application/problem+json': components['schemas']['Problem']
        }
      }
      /** @description The marketplace answered with something unusable, and there is no older answer. */
      502: {
        headers: {
          /**
           * @description Under which to find the request in our log: the one you sent, or a new one.
           * @example mobile-7c1f
           */
          'x-request-id'?: string
          /**
           * @description Requests that one address may send in a minute. Missing where there is no limit.
           * @example 600
           */
          'x-ratelimit-limit'?: number
          /** @description How many of them are left. */
          'x-ratelimit-remaining'?: number
          /** @description Seconds until they are all there again. */
          'x-ratelimit-reset'?: number
          [name: string]: unknown
        }
        content: {
          'application/problem+json': components['schemas']['Problem']
        }
      }
      /** @description The marketplace cannot be reached, and there is no older answer. Try again after `Retry-After`. */
      503: {
        headers: {
          /**
           * @description Seconds after which to try again, at the earliest.
           * @example 5
           */
          'Retry-After'?: number
          /**
           * @description Under which to find the request in our log: the one you sent, or a new one.
           * @example mobile-7c1f
           */
          'x-request-id'?: string
          /**
           * @description Requests that one address may send in a minute. Missing where there is no limit.
           * @example 600
           */
          'x-ratelimit-limit'?: number
          /** @description How many of them are left. */
          'x-ratelimit-remaining'?: number
          /** @description Seconds until they are all there again. */
          'x-ratelimit-reset'?: number
          [name: string]: unknown
        }
        content: {
          'application/problem+json': components['schemas']['Problem']
        }
      }
      /** @description The marketplace did not answer in time, and there is no older answer. Try again after `Retry-After`. */
      504: {
        headers: {
          /**
           * @description Seconds after which to try again, at the earliest.
           * @example 5
           */
          'Retry-After'?: number
          /**
           * @description Under which to find the request in our log: the one you sent, or a new one.
           * @example mobile-7c1f
           */
          'x-request-id'?: string
          /**
           * @description Requests that one address may send in a minute. Missing where there is no limit.
           * @example 600
           */
          'x-ratelimit-limit'?: number
          /** @description How many of them are left. */
          'x-ratelimit-remaining'?: number
          /** @description Seconds until they are all there again. */
          'x-ratelimit-reset'?: number
          [name: string]: unknown
        }
        content: {
          'application/problem+json': components['schemas']['Problem']
        }
      }
    }
  }
}
