// Written by `npm run docs:examples`: responses of the application with the demo marketplace.
import type { Examples } from './recorded.js'

export const examples: Examples = {
  listSellers: {
    '200': {
      headers: {
        Link: '</api/v1/sellers?page=1&page_size=3>; rel="first", </api/v1/sellers?page=1&page_size=3>; rel="prev", </api/v1/sellers?page=3&page_size=3>; rel="next", </api/v1/sellers?page=414&page_size=3>; rel="last"',
        ETag: '"RG9LvfnBF9gufBb3IDO8mopSyNA"',
        'Cache-Control': 'max-age=15',
        Age: 10,
        'Cache-Status': 'Vitrine; hit; ttl=290',
        'x-request-id': 'mobile-7c1f',
        'x-ratelimit-limit': 600,
      },
      bodies: {
        page: {
          summary: 'A page in the middle',
          value: {
            items: [
              {
                id: 'o-connell-daughters-auctioneers',
                name: "O'Connell & Daughters Auctioneers",
                customer_display_id: 'OCD-0004',
              },
              {
                id: 'societe-cooperative-des-brocanteurs-antiquaires-et-chineurs',
                name: 'Société coopérative des brocanteurs, antiquaires et chineurs réunis de la rive gauche et de ses environs',
                customer_display_id: 'SCD-0005',
              },
              { id: 'the-twelve-o-clock-sale', name: 'The Twelve O’Clock Sale', customer_display_id: 'TTO-0006' },
            ],
            page: 2,
            page_size: 3,
            pages: 414,
            total: 1240,
          },
        },
        filtered: {
          summary: 'Sellers with "etude" in their name',
          value: {
            items: [
              {
                id: 'etude-lefevre-saint-aubin-associes',
                name: 'Étude Lefèvre, Saint-Aubin & Associés',
                customer_display_id: 'ELS-0002',
              },
              { id: 'etude-marechal-guerin', name: 'Étude Maréchal-Guérin', customer_display_id: null },
            ],
            page: 1,
            page_size: 2,
            pages: 18,
            total: 36,
          },
        },
        none: { summary: 'A filter without matches', value: { items: [], page: 1, page_size: 20, pages: 0, total: 0 } },
        stale: {
          summary: 'A stale response while the marketplace fails',
          value: {
            items: [
              {
                id: 'o-connell-daughters-auctioneers',
                name: "O'Connell & Daughters Auctioneers",
                customer_display_id: 'OCD-0004',
              },
              {
                id: 'societe-cooperative-des-brocanteurs-antiquaires-et-chineurs',
                name: 'Société coopérative des brocanteurs, antiquaires et chineurs réunis de la rive gauche et de ses environs',
                customer_display_id: 'SCD-0005',
              },
              { id: 'the-twelve-o-clock-sale', name: 'The Twelve O’Clock Sale', customer_display_id: 'TTO-0006' },
            ],
            page: 2,
            page_size: 3,
            pages: 414,
            total: 1240,
            stale: true,
            as_of: '2026-03-10T12:00:00.000Z',
          },
        },
      },
    },
    '304': {
      headers: {
        Link: '</api/v1/sellers?page=1&page_size=3>; rel="first", </api/v1/sellers?page=1&page_size=3>; rel="prev", </api/v1/sellers?page=3&page_size=3>; rel="next", </api/v1/sellers?page=414&page_size=3>; rel="last"',
        ETag: '"RG9LvfnBF9gufBb3IDO8mopSyNA"',
        'Cache-Control': 'max-age=15',
        Age: 10,
        'Cache-Status': 'Vitrine; hit; ttl=290',
        'x-request-id': 'mobile-7c1f',
        'x-ratelimit-limit': 600,
      },
      bodies: {},
    },
    '400': {
      headers: { 'x-request-id': 'mobile-7c1f', 'x-ratelimit-limit': 600 },
      bodies: {
        wrong: {
          summary: 'Two invalid parameters',
          value: {
            type: 'about:blank',
            title: 'Bad Request',
            status: 400,
            detail: 'page must be >= 1; page_size must be <= 100',
            request_id: 'mobile-7c1f',
            code: 'VITRINE_INVALID_REQUEST',
            errors: [
              { field: 'page', detail: 'must be >= 1' },
              { field: 'page_size', detail: 'must be <= 100' },
            ],
          },
        },
      },
    },
    '429': {
      headers: { 'Retry-After': 60, 'x-request-id': 'mobile-7c1f', 'x-ratelimit-limit': 600 },
      bodies: {
        tooMany: {
          summary: 'The address has sent too many requests',
          value: {
            type: 'about:blank',
            title: 'Too Many Requests',
            status: 429,
            detail: 'More than 600 requests in a minute came from this address; try again in 1 minute',
            request_id: 'mobile-7c1f',
            code: 'VITRINE_RATE_LIMITED',
          },
        },
      },
    },
    '502': {
      headers: {
        'Cache-Control': 'private, no-cache',
        'Cache-Status': 'Vitrine; fwd=bypass; fwd-status=502',
        'x-request-id': 'mobile-7c1f',
        'x-ratelimit-limit': 600,
      },
      bodies: {
        unusable: {
          summary: 'The marketplace answers with an error',
          value: {
            type: 'about:blank',
            title: 'Bad Gateway',
            status: 502,
            detail: 'The upstream answered /sellers with status 500',
            request_id: 'mobile-7c1f',
            code: 'VITRINE_UPSTREAM_STATUS',
          },
        },
      },
    },
    '503': {
      headers: {
        'Cache-Control': 'private, no-cache',
        'Cache-Status': 'Vitrine; fwd=bypass; fwd-status=503',
        'Retry-After': 5,
        'x-request-id': 'mobile-7c1f',
        'x-ratelimit-limit': 600,
      },
      bodies: {
        unreachable: {
          summary: 'The marketplace cannot be reached',
          value: {
            type: 'about:blank',
            title: 'Service Unavailable',
            status: 503,
            detail: 'Cannot get /sellers from the upstream: ECONNREFUSED',
            request_id: 'mobile-7c1f',
            code: 'VITRINE_UPSTREAM_UNREACHABLE',
          },
        },
      },
    },
    '504': {
      headers: {
        'Cache-Control': 'private, no-cache',
        'Cache-Status': 'Vitrine; fwd=bypass; fwd-status=504',
        'Retry-After': 5,
        'x-request-id': 'mobile-7c1f',
        'x-ratelimit-limit': 600,
      },
      bodies: {
        late: {
          summary: 'The marketplace does not answer',
          value: {
            type: 'about:blank',
            title: 'Gateway Timeout',
            status: 504,
            detail: 'The upstream was too slow with /sellers: no whole answer within 2000 ms, tried 3 times',
            request_id: 'mobile-7c1f',
            code: 'VITRINE_UPSTREAM_TIMEOUT',
          },
        },
      },
    },
  },
  listCatalogs: {
    '200': {
      headers: {
        Link: '</api/v1/sellers/etude-lefevre-saint-aubin-associes/catalogs?page=1&page_size=3>; rel="first", </api/v1/sellers/etude-lefevre-saint-aubin-associes/catalogs?page=1&page_size=3>; rel="prev", </api/v1/sellers/etude-lefevre-saint-aubin-associes/catalogs?page=3&page_size=3>; rel="next", </api/v1/sellers/etude-lefevre-saint-aubin-associes/catalogs?page=101&page_size=3>; rel="last"',
        ETag: '"oJTped69QvjOb94Y8YIRIM5U1S9"',
        'Cache-Control': 'max-age=15',
        Age: 10,
        'Cache-Status': 'Vitrine; hit; ttl=290',
        'x-request-id': 'mobile-7c1f',
        'x-ratelimit-limit': 600,
      },
      bodies: {
        page: {
          summary: 'A page in the middle',
          value: {
            items: [
              {
                id: 2295,
                title:
                  "Collection Augustin Mercier : argenterie, photographies, souvenirs de voyage, le tout provenant d'un hôtel particulier, vendu à Lyon pour la famille",
                customer_catalog_id: 'ELS-C295',
                start_date: '2026-03-10',
              },
              {
                id: 2599,
                title:
                  "Collection Joséphine Béraud : livres anciens et manuscrits, jouets anciens, souvenirs de voyage, le tout provenant d'une ferme fortifiée, vendu à Lyon pour la famille",
                customer_catalog_id: 'ELS-C599',
                start_date: '2026-03-10',
              },
              {
                id: 2307,
                title: 'Vente courante : monnaies et médailles',
                customer_catalog_id: 'ELS-C307',
                start_date: '2026-03-10T11:30:00+01:00',
              },
            ],
            page: 2,
            page_size: 3,
            pages: 101,
            total: 303,
          },
        },
        filtered: {
          summary: 'Catalogs with "collection" in their title',
          value: {
            items: [
              {
                id: 2078,
                title:
                  "Collection Anaïs Noël : tapis et tapisseries, arts d'Asie, souvenirs de voyage, le tout provenant d'un presbytère, vendu à Lyon pour la famille",
                customer_catalog_id: 'ELS-C078',
                start_date: '2026-03-10',
              },
              {
                id: 2138,
                title: 'Automobiles de collection, cartes postales et timbres',
                customer_catalog_id: 'ELS-C138',
                start_date: '2026-03-10',
              },
            ],
            page: 1,
            page_size: 2,
            pages: 29,
            total: 58,
          },
        },
        unknownSeller: {
          summary: 'An unknown seller',
          value: { items: [], page: 1, page_size: 20, pages: 0, total: 0 },
        },
        stale: {
          summary: 'A stale response while the marketplace fails',
          value: {
            items: [
              {
                id: 2295,
                title:
                  "Collection Augustin Mercier : argenterie, photographies, souvenirs de voyage, le tout provenant d'un hôtel particulier, vendu à Lyon pour la famille",
                customer_catalog_id: 'ELS-C295',
                start_date: '2026-03-10',
              },
              {
                id: 2599,
                title:
                  "Collection Joséphine Béraud : livres anciens et manuscrits, jouets anciens, souvenirs de voyage, le tout provenant d'une ferme fortifiée, vendu à Lyon pour la famille",
                customer_catalog_id: 'ELS-C599',
                start_date: '2026-03-10',
              },
              {
                id: 2307,
                title: 'Vente courante : monnaies et médailles',
                customer_catalog_id: 'ELS-C307',
                start_date: '2026-03-10T11:30:00+01:00',
              },
            ],
            page: 2,
            page_size: 3,
            pages: 101,
            total: 303,
            stale: true,
            as_of: '2026-03-10T12:00:00.000Z',
          },
        },
      },
    },
    '304': {
      headers: {
        Link: '</api/v1/sellers/etude-lefevre-saint-aubin-associes/catalogs?page=1&page_size=3>; rel="first", </api/v1/sellers/etude-lefevre-saint-aubin-associes/catalogs?page=1&page_size=3>; rel="prev", </api/v1/sellers/etude-lefevre-saint-aubin-associes/catalogs?page=3&page_size=3>; rel="next", </api/v1/sellers/etude-lefevre-saint-aubin-associes/catalogs?page=101&page_size=3>; rel="last"',
        ETag: '"oJTped69QvjOb94Y8YIRIM5U1S9"',
        'Cache-Control': 'max-age=15',
        Age: 10,
        'Cache-Status': 'Vitrine; hit; ttl=290',
        'x-request-id': 'mobile-7c1f',
        'x-ratelimit-limit': 600,
      },
      bodies: {},
    },
    '400': {
      headers: {
        'Cache-Control': 'no-cache',
        'Cache-Status': 'Vitrine; fwd=uri-miss; fwd-status=400',
        'x-request-id': 'mobile-7c1f',
        'x-ratelimit-limit': 600,
      },
      bodies: {
        wrong: {
          summary: 'An invalid seller_id',
          value: {
            type: 'about:blank',
            title: 'Bad Request',
            status: 400,
            detail: 'seller_id must match pattern "^[A-Za-z0-9_-]{1,64}$"',
            request_id: 'mobile-7c1f',
            code: 'VITRINE_INVALID_REQUEST',
            errors: [{ field: 'seller_id', detail: 'must match pattern "^[A-Za-z0-9_-]{1,64}$"' }],
          },
        },
      },
    },
    '429': {
      headers: { 'Retry-After': 60, 'x-request-id': 'mobile-7c1f', 'x-ratelimit-limit': 600 },
      bodies: {
        tooMany: {
          summary: 'The address has sent too many requests',
          value: {
            type: 'about:blank',
            title: 'Too Many Requests',
            status: 429,
            detail: 'More than 600 requests in a minute came from this address; try again in 1 minute',
            request_id: 'mobile-7c1f',
            code: 'VITRINE_RATE_LIMITED',
          },
        },
      },
    },
    '502': {
      headers: {
        'Cache-Control': 'private, no-cache',
        'Cache-Status': 'Vitrine; fwd=bypass; fwd-status=502',
        'x-request-id': 'mobile-7c1f',
        'x-ratelimit-limit': 600,
      },
      bodies: {
        unusable: {
          summary: 'The marketplace answers with an error',
          value: {
            type: 'about:blank',
            title: 'Bad Gateway',
            status: 502,
            detail: 'The upstream answered /catalogs with status 500',
            request_id: 'mobile-7c1f',
            code: 'VITRINE_UPSTREAM_STATUS',
          },
        },
      },
    },
    '503': {
      headers: {
        'Cache-Control': 'private, no-cache',
        'Cache-Status': 'Vitrine; fwd=bypass; fwd-status=503',
        'Retry-After': 5,
        'x-request-id': 'mobile-7c1f',
        'x-ratelimit-limit': 600,
      },
      bodies: {
        unreachable: {
          summary: 'The marketplace cannot be reached',
          value: {
            type: 'about:blank',
            title: 'Service Unavailable',
            status: 503,
            detail: 'Cannot get /catalogs from the upstream: ECONNREFUSED',
            request_id: 'mobile-7c1f',
            code: 'VITRINE_UPSTREAM_UNREACHABLE',
          },
        },
      },
    },
    '504': {
      headers: {
        'Cache-Control': 'private, no-cache',
        'Cache-Status': 'Vitrine; fwd=bypass; fwd-status=504',
        'Retry-After': 5,
        'x-request-id': 'mobile-7c1f',
        'x-ratelimit-limit': 600,
      },
      bodies: {
        late: {
          summary: 'The marketplace does not answer',
          value: {
            type: 'about:blank',
            title: 'Gateway Timeout',
            status: 504,
            detail: 'The upstream was too slow with /catalogs: no whole answer within 2000 ms, tried 3 times',
            request_id: 'mobile-7c1f',
            code: 'VITRINE_UPSTREAM_TIMEOUT',
          },
        },
      },
    },
  },
}
