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
     * @description All sellers, or those that match all filters, in the order of the marketplace. Filtered requests are not cached: when the marketplace fails, there is no stale list. A page beyond the last is empty. Unknown parameters are ignored.
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
     * A seller's upcoming catalogs
     * @description Catalogs that start today or later, soonest first. The service decides the time zone of "today". An unknown seller has an empty list. Filtered requests are not cached: when the marketplace fails, there is no stale list. A page beyond the last is empty. Unknown parameters are ignored.
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
      /** @description Seller number that customers use. */
      customer_display_id: number | string | null
    }
    /** SellerListing */
    SellerListing: {
      items: components['schemas']['Seller'][]
      /** @description The requested page. */
      page: number
      /** @description Items per page. */
      page_size: number
      /** @description Number of pages; 0 for an empty list. */
      pages: number
      /** @description Number of items on all pages. */
      total: number
      /**
       * @description Present when the list is stale: the marketplace failed, or a refresh is in progress.
       * @enum {boolean}
       */
      stale?: true
      /**
       * Format: date-time
       * @description Present with `stale`: when the list was loaded.
       */
      as_of?: string
    }
    /**
     * Problem
     * @description Problem details. RFC 9457.
     */
    Problem: {
      /** @enum {string} */
      type: 'about:blank'
      /** @description The reason phrase of the status code. */
      title: string
      /** @description HTTP status code of the response. */
      status: number
      /** @description Description for developers. The wording may change. */
      detail: string
      /** @description Error code for programs. Codes do not change. */
      code?: string
      /** @description Id of the request in our logs, the same as in `x-request-id`. */
      request_id: string
      /** @description Invalid parameters of a 400. */
      errors?: {
        /** @description Name of the invalid parameter. */
        field: string
        /** @description Why it is invalid. */
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
      /** @description Catalog number that customers use. */
      customer_catalog_id: number | string | null
      /** @description Start of the sale: an ISO 8601 date, or a date and time with an offset, as the marketplace sends it. Never null in this list, which has upcoming catalogs only. */
      start_date: string | null
    }
    /** CatalogListing */
    CatalogListing: {
      items: components['schemas']['Catalog'][]
      /** @description The requested page. */
      page: number
      /** @description Items per page. */
      page_size: number
      /** @description Number of pages; 0 for an empty list. */
      pages: number
      /** @description Number of items on all pages. */
      total: number
      /**
       * @description Present when the list is stale: the marketplace failed, or a refresh is in progress.
       * @enum {boolean}
       */
      stale?: true
      /**
       * Format: date-time
       * @description Present with `stale`: when the list was loaded.
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
      /** @description `degraded` when Redis is unavailable: everything is still served, possibly slower. */
      status: 'ready' | 'degraded'
      /** @description `none` when Redis is not configured. */
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
        /** @description Items per page, 1 to 100. */
        page_size?: number
        /** @description Part of the name. A blank value is no filter. At most 200 characters. */
        name?: string
        /** @description The complete customer display id. A blank value is no filter. At most 200 characters. */
        customer_display_id?: string
      }
      header?: {
        /** @description The `ETag` of a stored response. A 304 confirms that it is current. */
        'If-None-Match'?: string
        /** @description Id of the request in our logs. A value that does not match the pattern is replaced. */
        'x-request-id'?: string
      }
      path?: never
      cookie?: never
    }
    requestBody?: never
    responses: {
      /** @description One page of the list. `stale` and `as_of` mark a stale list. */
      200: {
        headers: {
          /**
           * @description URLs of the `first`, `prev`, `next` and `last` page with the same page size and filters, relative to the request URL. The first page has no `prev`, the last page has no `next`. RFC 8288.
           * @example </api/v1/sellers?page=1&page_size=3>; rel="first", </api/v1/sellers?page=1&page_size=3>; rel="prev", </api/v1/sellers?page=3&page_size=3>; rel="next", </api/v1/sellers?page=414&page_size=3>; rel="last"
           */
          Link?: string
          /**
           * @description Validator of the body. Send it back as `If-None-Match`. RFC 9110.
           * @example "RG9LvfnBF9gufBb3IDO8mopSyNA"
           */
          ETag?: string
          /**
           * @description `max-age` is the freshness lifetime in seconds. `no-cache`: revalidate before each use.
           * @example max-age=15
           */
          'Cache-Control'?: string
          /**
           * @description Seconds since the response was generated. Absent for filtered requests and stale responses.
           * @example 10
           */
          Age?: number
          /**
           * @description How our cache handled the request: `hit`, or why the request was forwarded. RFC 9211.
           * @example Vitrine; hit; ttl=290
           */
          'Cache-Status'?: string
          /**
           * @description Id of the request in our logs: the one you sent, or a new one.
           * @example mobile-7c1f
           */
          'x-request-id'?: string
          /**
           * @description Requests per minute for one client address. Absent when there is no limit.
           * @example 600
           */
          'x-ratelimit-limit'?: number
          /** @description Requests left in the current minute. */
          'x-ratelimit-remaining'?: number
          /** @description Seconds until the limit resets. */
          'x-ratelimit-reset'?: number
          [name: string]: unknown
        }
        content: {
          'application/json': components['schemas']['SellerListing']
        }
      }
      /** @description The ETag in `If-None-Match` is current. No body. */
      304: {
        headers: {
          /**
           * @description URLs of the `first`, `prev`, `next` and `last` page with the same page size and filters, relative to the request URL. The first page has no `prev`, the last page has no `next`. RFC 8288.
           * @example </api/v1/sellers?page=1&page_size=3>; rel="first", </api/v1/sellers?page=1&page_size=3>; rel="prev", </api/v1/sellers?page=3&page_size=3>; rel="next", </api/v1/sellers?page=414&page_size=3>; rel="last"
           */
          Link?: string
          /**
           * @description Validator of the body. Send it back as `If-None-Match`. RFC 9110.
           * @example "RG9LvfnBF9gufBb3IDO8mopSyNA"
           */
          ETag?: string
          /**
           * @description `max-age` is the freshness lifetime in seconds. `no-cache`: revalidate before each use.
           * @example max-age=15
           */
          'Cache-Control'?: string
          /**
           * @description Seconds since the response was generated. Absent for filtered requests and stale responses.
           * @example 10
           */
          Age?: number
          /**
           * @description How our cache handled the request: `hit`, or why the request was forwarded. RFC 9211.
           * @example Vitrine; hit; ttl=290
           */
          'Cache-Status'?: string
          /**
           * @description Id of the request in our logs: the one you sent, or a new one.
           * @example mobile-7c1f
           */
          'x-request-id'?: string
          /**
           * @description Requests per minute for one client address. Absent when there is no limit.
           * @example 600
           */
          'x-ratelimit-limit'?: number
          /** @description Requests left in the current minute. */
          'x-ratelimit-remaining'?: number
          /** @description Seconds until the limit resets. */
          'x-ratelimit-reset'?: number
          [name: string]: unknown
        }
        content?: never
      }
      /** @description A parameter is invalid; `errors` names it. Do not retry the same request. */
      400: {
        headers: {
          /**
           * @description Id of the request in our logs: the one you sent, or a new one.
           * @example mobile-7c1f
           */
          'x-request-id'?: string
          /**
           * @description Requests per minute for one client address. Absent when there is no limit.
           * @example 600
           */
          'x-ratelimit-limit'?: number
          /** @description Requests left in the current minute. */
          'x-ratelimit-remaining'?: number
          /** @description Seconds until the limit resets. */
          'x-ratelimit-reset'?: number
          [name: string]: unknown
        }
        content: {
          'application/problem+json': components['schemas']['Problem']
        }
      }
      /** @description Too many requests from this client address. Retry after `Retry-After`. */
      429: {
        headers: {
          /**
           * @description Seconds to wait before the next request.
           * @example 60
           */
          'Retry-After'?: number
          /**
           * @description Id of the request in our logs: the one you sent, or a new one.
           * @example mobile-7c1f
           */
          'x-request-id'?: string
          /**
           * @description Requests per minute for one client address. Absent when there is no limit.
           * @example 600
           */
          'x-ratelimit-limit'?: number
          /** @description Requests left in the current minute. */
          'x-ratelimit-remaining'?: number
          /** @description Seconds until the limit resets. */
          'x-ratelimit-reset'?: number
          [name: string]: unknown
        }
        content: {
          'application/problem+json': components['schemas']['Problem']
        }
      }
      /** @description The marketplace sent an invalid response, and there is no stale list. */
      502: {
        headers: {
          /**
           * @description Id of the request in our logs: the one you sent, or a new one.
           * @example mobile-7c1f
           */
          'x-request-id'?: string
          /**
           * @description Requests per minute for one client address. Absent when there is no limit.
           * @example 600
           */
          'x-ratelimit-limit'?: number
          /** @description Requests left in the current minute. */
          'x-ratelimit-remaining'?: number
          /** @description Seconds until the limit resets. */
          'x-ratelimit-reset'?: number
          [name: string]: unknown
        }
        content: {
          'application/problem+json': components['schemas']['Problem']
        }
      }
      /** @description The marketplace is unreachable, and there is no stale list. Retry after `Retry-After`. */
      503: {
        headers: {
          /**
           * @description Seconds to wait before the next request.
           * @example 5
           */
          'Retry-After'?: number
          /**
           * @description Id of the request in our logs: the one you sent, or a new one.
           * @example mobile-7c1f
           */
          'x-request-id'?: string
          /**
           * @description Requests per minute for one client address. Absent when there is no limit.
           * @example 600
           */
          'x-ratelimit-limit'?: number
          /** @description Requests left in the current minute. */
          'x-ratelimit-remaining'?: number
          /** @description Seconds until the limit resets. */
          'x-ratelimit-reset'?: number
          [name: string]: unknown
        }
        content: {
          'application/problem+json': components['schemas']['Problem']
        }
      }
      /** @description The marketplace timed out, and there is no stale list. Retry after `Retry-After`. */
      504: {
        headers: {
          /**
           * @description Seconds to wait before the next request.
           * @example 5
           */
          'Retry-After'?: number
          /**
           * @description Id of the request in our logs: the one you sent, or a new one.
           * @example mobile-7c1f
           */
          'x-request-id'?: string
          /**
           * @description Requests per minute for one client address. Absent when there is no limit.
           * @example 600
           */
          'x-ratelimit-limit'?: number
          /** @description Requests left in the current minute. */
          'x-ratelimit-remaining'?: number
          /** @description Seconds until the limit resets. */
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
        /** @description Items per page, 1 to 100. */
        page_size?: number
        /** @description Part of the title. A blank value is no filter. At most 200 characters. */
        title?: string
      }
      header?: {
        /** @description The `ETag` of a stored response. A 304 confirms that it is current. */
        'If-None-Match'?: string
        /** @description Id of the request in our logs. A value that does not match the pattern is replaced. */
        'x-request-id'?: string
      }
      path: {
        /** @description Seller id. */
        seller_id: string
      }
      cookie?: never
    }
    requestBody?: never
    responses: {
      /** @description One page of the list. `stale` and `as_of` mark a stale list. */
      200: {
        headers: {
          /**
           * @description URLs of the `first`, `prev`, `next` and `last` page with the same page size and filters, relative to the request URL. The first page has no `prev`, the last page has no `next`. RFC 8288.
           * @example </api/v1/sellers/etude-lefevre-saint-aubin-associes/catalogs?page=1&page_size=3>; rel="first", </api/v1/sellers/etude-lefevre-saint-aubin-associes/catalogs?page=1&page_size=3>; rel="prev", </api/v1/sellers/etude-lefevre-saint-aubin-associes/catalogs?page=3&page_size=3>; rel="next", </api/v1/sellers/etude-lefevre-saint-aubin-associes/catalogs?page=101&page_size=3>; rel="last"
           */
          Link?: string
          /**
           * @description Validator of the body. Send it back as `If-None-Match`. RFC 9110.
           * @example "oJTped69QvjOb94Y8YIRIM5U1S9"
           */
          ETag?: string
          /**
           * @description `max-age` is the freshness lifetime in seconds. `no-cache`: revalidate before each use.
           * @example max-age=15
           */
          'Cache-Control'?: string
          /**
           * @description Seconds since the response was generated. Absent for filtered requests and stale responses.
           * @example 10
           */
          Age?: number
          /**
           * @description How our cache handled the request: `hit`, or why the request was forwarded. RFC 9211.
           * @example Vitrine; hit; ttl=290
           */
          'Cache-Status'?: string
          /**
           * @description Id of the request in our logs: the one you sent, or a new one.
           * @example mobile-7c1f
           */
          'x-request-id'?: string
          /**
           * @description Requests per minute for one client address. Absent when there is no limit.
           * @example 600
           */
          'x-ratelimit-limit'?: number
          /** @description Requests left in the current minute. */
          'x-ratelimit-remaining'?: number
          /** @description Seconds until the limit resets. */
          'x-ratelimit-reset'?: number
          [name: string]: unknown
        }
        content: {
          'application/json': components['schemas']['CatalogListing']
        }
      }
      /** @description The ETag in `If-None-Match` is current. No body. */
      304: {
        headers: {
          /**
           * @description URLs of the `first`, `prev`, `next` and `last` page with the same page size and filters, relative to the request URL. The first page has no `prev`, the last page has no `next`. RFC 8288.
           * @example </api/v1/sellers/etude-lefevre-saint-aubin-associes/catalogs?page=1&page_size=3>; rel="first", </api/v1/sellers/etude-lefevre-saint-aubin-associes/catalogs?page=1&page_size=3>; rel="prev", </api/v1/sellers/etude-lefevre-saint-aubin-associes/catalogs?page=3&page_size=3>; rel="next", </api/v1/sellers/etude-lefevre-saint-aubin-associes/catalogs?page=101&page_size=3>; rel="last"
           */
          Link?: string
          /**
           * @description Validator of the body. Send it back as `If-None-Match`. RFC 9110.
           * @example "oJTped69QvjOb94Y8YIRIM5U1S9"
           */
          ETag?: string
          /**
           * @description `max-age` is the freshness lifetime in seconds. `no-cache`: revalidate before each use.
           * @example max-age=15
           */
          'Cache-Control'?: string
          /**
           * @description Seconds since the response was generated. Absent for filtered requests and stale responses.
           * @example 10
           */
          Age?: number
          /**
           * @description How our cache handled the request: `hit`, or why the request was forwarded. RFC 9211.
           * @example Vitrine; hit; ttl=290
           */
          'Cache-Status'?: string
          /**
           * @description Id of the request in our logs: the one you sent, or a new one.
           * @example mobile-7c1f
           */
          'x-request-id'?: string
          /**
           * @description Requests per minute for one client address. Absent when there is no limit.
           * @example 600
           */
          'x-ratelimit-limit'?: number
          /** @description Requests left in the current minute. */
          'x-ratelimit-remaining'?: number
          /** @description Seconds until the limit resets. */
          'x-ratelimit-reset'?: number
          [name: string]: unknown
        }
        content?: never
      }
      /** @description A parameter is invalid; `errors` names it. Do not retry the same request. */
      400: {
        headers: {
          /**
           * @description Id of the request in our logs: the one you sent, or a new one.
           * @example mobile-7c1f
           */
          'x-request-id'?: string
          /**
           * @description Requests per minute for one client address. Absent when there is no limit.
           * @example 600
           */
          'x-ratelimit-limit'?: number
          /** @description Requests left in the current minute. */
          'x-ratelimit-remaining'?: number
          /** @description Seconds until the limit resets. */
          'x-ratelimit-reset'?: number
          [name: string]: unknown
        }
        content: {
          'application/problem+json': components['schemas']['Problem']
        }
      }
      /** @description Too many requests from this client address. Retry after `Retry-After`. */
      429: {
        headers: {
          /**
           * @description Seconds to wait before the next request.
           * @example 60
           */
          'Retry-After'?: number
          /**
           * @description Id of the request in our logs: the one you sent, or a new one.
           * @example mobile-7c1f
           */
          'x-request-id'?: string
          /**
           * @description Requests per minute for one client address. Absent when there is no limit.
           * @example 600
           */
          'x-ratelimit-limit'?: number
          /** @description Requests left in the current minute. */
          'x-ratelimit-remaining'?: number
          /** @description Seconds until the limit resets. */
          'x-ratelimit-reset'?: number
          [name: string]: unknown
        }
        content: {
          'application/problem+json': components['schemas']['Problem']
        }
      }
      /** @description The marketplace sent an invalid response, and there is no stale list. */
      502: {
        headers: {
          /**
           * @description Id of the request in our logs: the one you sent, or a new one.
           * @example mobile-7c1f
           */
          'x-request-id'?: string
          /**
           * @description Requests per minute for one client address. Absent when there is no limit.
           * @example 600
           */
          'x-ratelimit-limit'?: number
          /** @description Requests left in the current minute. */
          'x-ratelimit-remaining'?: number
          /** @description Seconds until the limit resets. */
          'x-ratelimit-reset'?: number
          [name: string]: unknown
        }
        content: {
          'application/problem+json': components['schemas']['Problem']
        }
      }
      /** @description The marketplace is unreachable, and there is no stale list. Retry after `Retry-After`. */
      503: {
        headers: {
          /**
           * @description Seconds to wait before the next request.
           * @example 5
           */
          'Retry-After'?: number
          /**
           * @description Id of the request in our logs: the one you sent, or a new one.
           * @example mobile-7c1f
           */
          'x-request-id'?: string
          /**
           * @description Requests per minute for one client address. Absent when there is no limit.
           * @example 600
           */
          'x-ratelimit-limit'?: number
          /** @description Requests left in the current minute. */
          'x-ratelimit-remaining'?: number
          /** @description Seconds until the limit resets. */
          'x-ratelimit-reset'?: number
          [name: string]: unknown
        }
        content: {
          'application/problem+json': components['schemas']['Problem']
        }
      }
      /** @description The marketplace timed out, and there is no stale list. Retry after `Retry-After`. */
      504: {
        headers: {
          /**
           * @description Seconds to wait before the next request.
           * @example 5
           */
          'Retry-After'?: number
          /**
           * @description Id of the request in our logs: the one you sent, or a new one.
           * @example mobile-7c1f
           */
          'x-request-id'?: string
          /**
           * @description Requests per minute for one client address. Absent when there is no limit.
           * @example 600
           */
          'x-ratelimit-limit'?: number
          /** @description Requests left in the current minute. */
          'x-ratelimit-remaining'?: number
          /** @description Seconds until the limit resets. */
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
