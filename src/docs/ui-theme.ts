/** Fixes for Swagger UI: contrast, empty columns, and overflow on phones. */
export const uiRules = `
.back-link { display: block; padding: 1rem 20px 0; font: 600 1rem sans-serif; color: #1d5fa8 }
html.dark-mode body { background: transparent }
html.dark-mode .back-link { color: #8fc1ff }
.swagger-ui .markdown code, .swagger-ui .renderedMarkdown code { padding: 1px 4px }
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

/**
 * Fixes for Swagger UI: viewport, link to the site, main landmark, labels of example lists, examples that scroll by keyboard.
 */
export const uiScript = `
const viewport = document.createElement('meta')
viewport.name = 'viewport'
viewport.content = 'width=device-width, initial-scale=1'
document.head.append(viewport)
const back = document.createElement('a')
back.className = 'back-link'
back.href = '/'
back.textContent = '← Vitrine'
const site = document.createElement('nav')
site.setAttribute('aria-label', 'Site')
site.append(back)
document.body.prepend(site)
const content = document.getElementById('swagger-ui')
content.setAttribute('role', 'main')
new MutationObserver(() => {
  for (const list of content.querySelectorAll('.examples-select-element:not([aria-label])')) {
    list.setAttribute('aria-label', 'Example')
  }
  for (const box of content.querySelectorAll('.microlight:not([tabindex])')) box.setAttribute('tabindex', '0')
}).observe(content, { childList: true, subtree: true })
`
