/** What a mobile developer has to know beyond single parameters and answers; Markdown, as OpenAPI has it. */
export const guide = `Sellers of the marketplace and their coming catalogs, for mobile clients.

## Lists

A list is answered a page at a time: \`items\`, and how much there is in all. Do not put addresses of pages together: \`Link\`
has those of the \`first\`, \`prev\`, \`next\` and \`last\` page, with your filters, relative to the address that you asked.
Where there is no \`next\` the list ends. A page beyond the last is empty, and its \`prev\` is the last. The list may change
while you read it: know items by their \`id\`.

\`page\` and \`page_size\` are plain digits; anything else is a 400. Filters are taken without the blanks around them, and a
blank one is none. **Parameters of other names are ignored**, so a filter that is misspelt is no filter.

## Older answers

When the marketplace cannot be asked, or is slow, you get its last good answer, for up to a day. Its body then says
\`"stale": true\`, and \`as_of\` when the marketplace said it; else neither is there. Show the list and that time, and ask again
in a minute. With a filter there is no older answer, but a 502, 503 or 504.

## Caching

Each 200 has an \`ETag\`. Keep it with the body and send it as \`If-None-Match\`: where nothing has changed you get a 304 without
a body. For as many seconds as \`Cache-Control\` says (\`max-age\` less \`Age\`) you need not ask at all. The HTTP caches of
URLSession, OkHttp and browsers do all of this by themselves. \`HEAD\` answers with the fields alone; bodies come in gzip
or Brotli where \`Accept-Encoding\` names them.

## Errors

Errors are \`application/problem+json\` (RFC 9457). Decide by \`status\` and \`code\`; \`detail\` is for you and not for your users,
and its words may change. An address that does not exist is a 404, and a mistake of ours a 500: both without a \`code\`.

- 400 \`VITRINE_INVALID_REQUEST\`: mend the parameters that \`errors\` names; asking again does not help.
- 429 \`VITRINE_RATE_LIMITED\`: wait for as many seconds as \`Retry-After\` says.
- 502 \`VITRINE_UPSTREAM_STATUS\`, \`VITRINE_UPSTREAM_NOT_JSON\`, \`VITRINE_UPSTREAM_WRONG_SHAPE\`, \`VITRINE_UPSTREAM_INCOMPLETE\`,
  \`VITRINE_UPSTREAM_TOO_LARGE\`: the marketplace is in trouble; try again in a minute.
- 503 \`VITRINE_UPSTREAM_UNREACHABLE\`, 504 \`VITRINE_UPSTREAM_TIMEOUT\`: wait for as many seconds as \`Retry-After\` says.

## Limits

One address may send so many requests in a minute (\`x-ratelimit-limit\`), of all kinds together; \`x-ratelimit-remaining\` says
how many are left, \`x-ratelimit-reset\` in how many seconds they are all there again. A 304 counts like a 200.

## Finding a request again

Send an \`x-request-id\` (up to 128 letters, digits, \`.\`, \`:\`, \`_\` and \`-\`) and it is yours through our log and the
marketplace's; without one you are given one. Problems have it in their body as well: show it where a user can report it.

The examples are answers of this application in front of its demo marketplace.
`
