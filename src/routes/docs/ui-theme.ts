/** What Swagger UI leaves too pale to be read, what it shows of nothing, and what makes its page wider than a phone. */
export const uiRules = `
.swagger-ui .topbar, .swagger-ui .response-col_links { display: none }
.swagger-ui .opblock.opblock-get .opblock-summary-method { background: #1d5fa8 }
.swagger-ui .opblock.opblock-post .opblock-summary-method { background: #17703f }
.swagger-ui .info .title small { background: #3f4b5b }
.swagger-ui .info .title small.version-stamp { background: #476800 }
.swagger-ui .info .url, .swagger-ui .info a { color: #1d5fa8 }
.swagger-ui .btn.authorize { color: #17703f; border-color: #17703f }
.swagger-ui .btn.authorize span { color: inherit }
.swagger-ui .json-schema-2020-12-expand-deep-button { color: #555 }
.swagger-ui .parameter__in { color: #555 }
.swagger-ui .headers .header-col { color: inherit }
.swagger-ui .microlight span { color: #ffffff !important }
html.dark-mode .swagger-ui .info .url, html.dark-mode .swagger-ui .info a { color: #8fc1ff }
html.dark-mode .swagger-ui .btn.authorize { color: #7fe0ac; border-color: #7fe0ac }
html.dark-mode .swagger-ui .json-schema-2020-12-expand-deep-button { color: #ccc }
html.dark-mode .swagger-ui .parameter__in { color: #bbb }
html.dark-mode .swagger-ui .headers .header-col { color: #e4e6e6 }
`

/** Says which part of the page is its content, for those who jump there, what the lists of examples are, and scrolls examples by keyboard. */
export const uiScript = `
const content = document.getElementById('swagger-ui')
content.setAttribute('role', 'main')
new MutationObserver(() => {
  for (const list of content.querySelectorAll('.examples-select-element:not([aria-label])')) {
    list.setAttribute('aria-label', 'Example')
  }
  for (const box of content.querySelectorAll('.microlight:not([tabindex])')) box.setAttribute('tabindex', '0')
}).observe(content, { childList: true, subtree: true })
`
