import { type SendProblem, sendProblemPage, setErrorStatus } from '../http/error-handler.js'
import { isFragmentRequest, render, setPageVary } from '../http/html-pages.js'
import { createProblemView } from '../http/problem-view.js'
import { isSellerId } from '../schemas/listing.js'

/** Always HTML: a page, or for htmx the panel with the problem in it. */
export function sendPanelProblem(panel: 'sellers' | 'events'): SendProblem {
  return (problem, request, reply) => {
    if (!isFragmentRequest(request)) return sendProblemPage(problem, request, reply)
    setErrorStatus(reply, problem.status)
    setPageVary(reply)
    const view = createProblemView(problem, request)
    const title = view.text[panel].title
    return render(reply, 'partials/problem-panel', { ...view, panel, title, sellerId: validSellerId(request.params) })
  }
}

/** Keeps the seller selected when the list is paged while its events cannot be shown. */
function validSellerId(params: unknown): string | undefined {
  const { seller_id: sellerId } = (params ?? {}) as { seller_id?: string } // a parsed path; not validated after an error
  return sellerId !== undefined && isSellerId(sellerId) ? sellerId : undefined
}
