// What an official JavaScript client makes of one address: node steps.js PACKAGE URL [sniff]
// Prints one JSON object; beside it stands what was seen of the reranked order.
'use strict'
const { createRequire } = require('module')
const path = require('path')
const [name, url, option] = process.argv.slice(2)
const load = createRequire(path.join(process.cwd(), 'here.js'))
const { Client } = load(name)
const about = path.join(process.cwd(), 'node_modules', name, 'package.json')
const version = Number(JSON.parse(require('fs').readFileSync(about)).version.split('.')[0])
const flat = name.startsWith('@elastic') && version >= 8 // answers are bodies, parameters stand beside them
const INDEX = 'clients'

const options = { node: url, requestTimeout: 60000 }
if (option === 'sniff') options.sniffOnStart = true
const client = new Client(options)
const squeezed = new Client({ node: url, compression: version >= 8 || !name.startsWith('@elastic') ? true : 'gzip', suggestCompression: true })

const plain = (answer) => {
  const found = JSON.parse(JSON.stringify(flat ? answer : answer.body))
  for (const part of [found, ...(found.responses || [])]) { delete part.took; delete part._scroll_id }
  return found
}
const searched = (body, more) => client.search(flat ? { index: INDEX, ...body, ...more } : { index: INDEX, body, ...more })
const fault = async (asked) => {
  try { await asked } catch (error) {
    const body = (error.meta && error.meta.body) || error.body
    return [error.constructor.name, error.statusCode, body && body.error && body.error.type]
  }
  return 'no error'
}

async function main () {
  const seen = {}
  const query = { match: { title: 'snow' } }
  const aggs = { k: { terms: { field: 'kind' } } }
  const exists = async (index) => { const told = await client.indices.exists({ index }); return flat ? told : told.body }
  seen.info = plain(await client.info()).version.number
  seen.exists = [await exists(INDEX), await exists('nope')]
  const written = { title: 'written snow' }
  seen.index = plain(await client.index(flat ? { index: INDEX, id: 'one', document: written, refresh: true } : { index: INDEX, id: 'one', body: written, refresh: true }))._id
  seen.get = plain(await client.get({ index: INDEX, id: 'one' }))._source
  const told = await client.helpers.bulk({
    datasource: [0, 1, 2, 3, 4].map((place) => ({ title: `bulk ${place}`, place })),
    onDocument: (document) => ({ index: { _index: INDEX, _id: `b${document.place}` } }),
    refreshOnCompletion: true
  })
  seen.bulk = [told.total, told.failed, told.successful]
  seen.delete = []
  for (const place of [0, 1, 2, 3, 4]) seen.delete.push(plain(await client.delete({ index: INDEX, id: `b${place}`, refresh: true })).result)
  seen.count = plain(await client.count(flat ? { index: INDEX, query } : { index: INDEX, body: { query } })).count
  seen.aggregation = plain(await searched({ size: 0, aggs }, { typed_keys: true }))
  seen.sorted = plain(await searched({ query, size: 5, sort: ['n'] }))
  const found = plain(await searched({ query, size: 50, aggs }))
  seen.search = found
  seen.order = found.hits.hits.map((hit) => hit._id)
  const page = plain(await searched({ query, size: 5, from: 5 }))
  seen.pages = JSON.stringify(page.hits.hits.map((hit) => hit._id)) === JSON.stringify(seen.order.slice(5, 10))
  seen.search_uri = plain(await client.search({ index: INDEX, q: 'snow', size: 50 }))
  seen.search_gzip = plain(await squeezed.search(flat ? { index: INDEX, query, size: 50 } : { index: INDEX, body: { query, size: 50 } }))
  const lines = [{ index: INDEX }, { query, size: 3 }, { index: 'nope' }, { size: 1 }]
  const many = plain(await client.msearch(flat ? { searches: lines } : { body: lines })).responses
  seen.msearch = [many[0].hits.total, many[1].status]
  const documents = await client.helpers.search(flat ? { index: INDEX, query, size: 50 } : { index: INDEX, body: { query, size: 50 } })
  seen.helper_search = documents.map((document) => document.title).sort()
  seen.helper_order = documents.map((document) => document.title)
  const scrolled = []
  for await (const document of client.helpers.scrollDocuments(flat ? { index: INDEX, query, size: 15 } : { index: INDEX, body: { query }, size: 15 })) scrolled.push(document.title)
  seen.scroll = scrolled.sort()
  const together = client.helpers.msearch({ flushInterval: 100 })
  const helped = await Promise.all([1, 2, 3].map((size) => together.search({ index: INDEX }, { query, size })))
  seen.helper_msearch = helped.map((one) => [one.status, one.documents.length])
  await together.stop()
  seen.missing = await fault(client.search({ index: 'nope' }))
  seen.refused = await fault(searched({ query: { nonsense: {} } }))
  console.log(JSON.stringify(seen))
  await client.close()
  await squeezed.close()
}

main().catch((error) => { console.error(error); process.exit(1) })
