import { neighboursOf } from '../catalog/paging.js'
import type { Texts } from '../texts/index.js'
import { linkTo, type PanelLink, type QueryParams } from './links.js'

/** Links to the other pages of a list, and to other page sizes. */
export interface Pager {
  /** `undefined` beyond the last page. */
  readonly position: string | undefined
  readonly hasPages: boolean
  /** First, previous, next and last; without a link where they would lead to the current page. */
  readonly steps: readonly PagerStep[]
  /** Empty when the smallest size shows the complete list. */
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

export interface PagerOptions {
  readonly page: number
  readonly pages: number
  readonly pageSize: number
  readonly total: number
  readonly path: string
  /** Filters of this panel. */
  readonly params: QueryParams
  /** State of the other panel. */
  readonly otherPanel: QueryParams
  readonly text: Texts['pager']
}

const offeredSizes = [10, 20, 50, 100]

export function createPager({ page, pages, pageSize, total, path, params, otherPanel, text }: PagerOptions): Pager {
  const neighbours = neighboursOf({ page, pages })
  const { last } = neighbours
  const stepTo = (to: number | undefined) =>
    to === undefined || to === page ? undefined : linkTo(path, { ...params, page_size: pageSize, page: to }, otherPanel)
  const firstIndex = Math.min((page - 1) * pageSize, total - 1)
  const sizes = [...new Set([...offeredSizes, pageSize])].sort((a, b) => a - b)
  return {
    position: page > last ? undefined : text.position(page, last),
    hasPages: last > 1,
    steps: (['first', 'prev', 'next', 'last'] as const).map((rel) => {
      return { label: text[rel], rel, link: stepTo(neighbours[rel]) }
    }),
    sizes: total <= Math.min(...sizes) ? [] : sizes.map(sizeLink),
  }

  /** To the page that has the first item of the current one. */
  function sizeLink(size: number): PageSize {
    const page = Math.floor(firstIndex / size) + 1
    return { size, isCurrent: size === pageSize, link: linkTo(path, { ...params, page_size: size, page }, otherPanel) }
  }
}
