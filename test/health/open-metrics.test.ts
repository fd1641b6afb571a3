/** `/_letro/metrics`: what Prometheus reads. */
import { hash } from 'node:crypto'
import { rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import test from 'ava'
import { openMetrics } from '../../server/health/open-metrics.ts'
import { startTestServer } from '../support/server.ts'

const report = {
  ts: 0,
  state: 'warning',
  findings: [
    { code: 'peer.unreachable', severity: 'warning', subject: 'a"b\\.example', facts: {}, sinceTs: 0 },
  ],
  readings: {
    disk: { size_bytes: 100, available_bytes: 40 },
    writes: { median_ms: 12.5 },
    store: { found_whole_ts: 1_700_000_000_000, note: 'words stay out' },
    clock: { synchronised: true, in_doubt: false },
    certificates: { server: [{ names: 'x', not_after_ts: 5_000 }], authority: { not_after_ts: 6_000 } },
    queues: {
      peers: [
        { server_name: 'b.example', length: 2, last_error: 'secret words' },
        { server_name: 'c.example', length: 0 },
        { length: 7 },
      ],
    },
  },
} as const

test('readings become gauges: seconds, bytes, one sample a peer', t => {
  t.deepEqual(openMetrics(report, '0.1.0').split('\n'), [
    '# TYPE letro_build gauge',
    'letro_build{version="0.1.0"} 1',
    '# TYPE letro_health_state gauge',
    'letro_health_state 2',
    '# TYPE letro_findings gauge',
    'letro_findings{severity="note"} 0',
    'letro_findings{severity="warning"} 1',
    'letro_findings{severity="alarm"} 0',
    '# TYPE letro_finding gauge',
    'letro_finding{code="peer.unreachable",severity="warning",subject="a\\"b\\\\.example"} 1',
    '# TYPE letro_disk_size_bytes gauge',
    'letro_disk_size_bytes 100',
    '# TYPE letro_disk_available_bytes gauge',
    'letro_disk_available_bytes 40',
    '# TYPE letro_writes_median_seconds gauge',
    'letro_writes_median_seconds 0.0125',
    '# TYPE letro_store_found_whole_timestamp_seconds gauge',
    'letro_store_found_whole_timestamp_seconds 1700000000',
    '# TYPE letro_clock_synchronised gauge',
    'letro_clock_synchronised 1',
    '# TYPE letro_clock_in_doubt gauge',
    'letro_clock_in_doubt 0',
    '# TYPE letro_certificates_not_after_timestamp_seconds gauge',
    'letro_certificates_not_after_timestamp_seconds 5',
    '# TYPE letro_certificates_authority_not_after_timestamp_seconds gauge',
    'letro_certificates_authority_not_after_timestamp_seconds 6',
    '# TYPE letro_queues_length gauge',
    'letro_queues_length{server_name="b.example"} 2',
    'letro_queues_length{server_name="c.example"} 0',
    '# EOF',
    '',
  ])
})

test('who has the token reads them; nobody else, and without the key there is no such page', async t => {
  const token = 'm'.repeat(40)
  const file = join(tmpdir(), `letro-metrics-${process.pid}`)
  await writeFile(file, token, { mode: 0o600 })
  t.teardown(() => rm(file))
  const server = await startTestServer({ config: `[metrics]\ntoken_file = "${file}"` })
  t.teardown(() => server.close())
  const alice = await server.register('alice')
  t.is((await server.call('GET', '/_letro/metrics')).status, 401)
  t.is((await server.call('GET', '/_letro/metrics', { token: alice.token })).status, 401)
  const answer = await fetch(`${server.base}/_letro/metrics`, {
    headers: { Authorization: `Bearer ${token}` },
  })
  t.is(answer.headers.get('content-type'), 'application/openmetrics-text; version=1.0.0; charset=utf-8')
  const text = await answer.text()
  t.regex(text, /^letro_disk_available_bytes \d+$/m)
  t.regex(text, /^letro_people_people 1$/m)
  t.regex(text, /\n# EOF\n$/)
  t.notRegex(text, /alice|@/)

  // The same token, where nobody can put a file.
  const sha256 = hash('sha256', token).toUpperCase()
  const byHash = await startTestServer({ config: `[metrics]\ntoken_sha256 = "${sha256}"` })
  t.teardown(() => byHash.close())
  const metrics = `${byHash.base}/_letro/metrics`
  t.is((await fetch(metrics, { headers: { Authorization: `Bearer ${token}` } })).status, 200)
  t.is((await fetch(metrics, { headers: { Authorization: `Bearer ${sha256}` } })).status, 401)

  const without = await startTestServer()
  t.teardown(() => without.close())
  t.is((await without.call('GET', '/_letro/metrics', { token })).status, 404)
})
