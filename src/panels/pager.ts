import { neighboursOf } from '../catalog/paging.js'
import type { Texts } from '../texts/index.js'
import { linkTo, type PanelLink, type Parameters } from './links.js'

/** The ways through a list: to its other pages, and to pages of another size. */
export interface Pager {
  /** `undefined` beyond the last page. */
  readonly position: string | undefined
  readonly hasPages: boolean
  /** First, previous, next and last; without a link where they would lead nowhere else. */
  readonly steps: readonly PagerStep[]
  /** None where every size shows the same. */
  readonly sizes: readonly PageSize[]
}

export interface PagerStep {
  readonly label: string
  readonly rel: 'first' | 'prev' | 'next' | 'last'
  readonly link: PanelLink | undefined
}

export interface PageSize {
  readonly size: number
  readonly isCurrent: boolean
  readonly link: PanelLink
}

export interface PagerParts {
  readonly page: number
  readonly pages: number
  readonly pageSize: number
  readonly total: number
  readonly path: string
  /** Filters of the panel itself. */
  readonly own: Parameters
  /** Parameters that tell of the panel beside it, which htmx takes from the page that is there. */
  readonly beside: Parameters
  readonly text: Texts['pager']
}

const offeredSizes = [10, 20, 50, 100]

export function createPager({ page, pages, pageSize, total, path, own, beside, text }: PagerParts): Pager {
  const neighbours = neighboursOf({ page, pages })
  const { last } = neighbours
  const stepTo = (to: number | undefined) =>
    to === undefined || to === page ? undefined : linkTo(path, { ...own, page_size: pageSize, page: to }, beside)
  const sizes = [...new Set([...offeredSizes, pageSize])].sort((a, b) => a - b)
  const firstShown = (page - 1) * pageSize
  return {
    position: page > last ? undefined : text.position(page, last),
    hasPages: last > 1,
    steps: (['first', 'prev', 'next', 'last'] as const).map((rel) => {
      return { label: text[rel], rel, link: stepTo(neighbours[rel]) }
    }),
    sizes:
      total <= Math.min(...sizes)
        ? []
        : sizes.map((size) => ({
            size,
            isCurrent: size === pageSize,
            // What is at the top now stays on the page.
            link: linkTo(
              path,
              { ...own, page_size: size, page: Math.floor(Math.min(firstShown, total - 1) / size) + 1 },
              beside,
            ),
          })),
  }
}
