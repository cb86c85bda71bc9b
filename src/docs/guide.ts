/** Introduction of the API description, in Markdown. */
export const guide = `Sellers of a marketplace and their upcoming catalogs, for mobile clients.

## Lists

Lists are paginated. A response has the \`items\` of one page, and \`total\` and \`pages\` of the complete list. Follow the URLs in
the \`Link\` header (\`first\`, \`prev\`, \`next\`, \`last\`); they contain your filters and are relative to the request URL. The last
page has no \`next\`. A page beyond the last is empty, and its \`prev\` is the last page. A list may change while you page through
it: identify items by \`id\`.

\`page\` and \`page_size\` must be plain digits; anything else is a 400. Filters are trimmed, and a blank filter is no filter.
**Unknown parameters are ignored**, so a misspelt filter has no effect. So are all parameters after the first 100.

## Stale lists

When the marketplace fails or is slow, you receive its last good list, for up to a day. The body then has \`"stale": true\` and
\`as_of\`, the time when the list was loaded; otherwise neither field is present. Show the list with that time, and request it
again in a minute. Filtered requests have no stale list: they fail with 502, 503 or 504.

## Caching

Each 200 has an \`ETag\`. Store it with the body and send it as \`If-None-Match\`: if nothing changed you receive a 304 without a
body. \`Cache-Control\` and \`Age\` say for how long a response is fresh (\`max-age\` minus \`Age\`). The HTTP caches of URLSession,
OkHttp and browsers do this automatically. \`HEAD\` returns the headers only. Bodies are compressed with gzip or Brotli if
\`Accept-Encoding\` allows it.

## Errors

Errors are \`application/problem+json\` (RFC 9457). Decide by \`status\` and \`code\`. \`detail\` is for developers, and its wording
may change. An unknown path is a 404, an internal error a 500; neither has a \`code\`.

- 400 \`VITRINE_INVALID_REQUEST\`: correct the parameters in \`errors\`; do not retry.
- 429 \`VITRINE_RATE_LIMITED\`, and \`VITRINE_TOO_MANY_TOKENS\` after wrong operator tokens: wait for \`Retry-After\` seconds.
- 502 \`VITRINE_UPSTREAM_STATUS\`, \`VITRINE_UPSTREAM_NOT_JSON\`, \`VITRINE_UPSTREAM_WRONG_SHAPE\`, \`VITRINE_UPSTREAM_INCOMPLETE\`,
  \`VITRINE_UPSTREAM_TOO_LARGE\`, \`VITRINE_UPSTREAM_ENCODING\`, \`VITRINE_UPSTREAM_REDIRECT\`: the marketplace fails; retry in a minute.
- 503 \`VITRINE_UPSTREAM_UNREACHABLE\`, 504 \`VITRINE_UPSTREAM_TIMEOUT\`: wait for \`Retry-After\` seconds.

## Rate limit

Each client address may send \`x-ratelimit-limit\` requests per minute, of all kinds. \`x-ratelimit-remaining\` is the number left,
\`x-ratelimit-reset\` the seconds until the limit resets. A 304 counts like a 200.

## Request ids

Send an \`x-request-id\` (up to 128 letters, digits, \`.\`, \`:\`, \`_\` and \`-\`) to find the request in our logs and those of the
marketplace. Without one, we generate it. Errors contain it in \`request_id\`: show it where users can report it.
A list that several requests wait for is loaded once, under the id of the request that started the load.

The examples are responses of this application with its demo marketplace.
`
