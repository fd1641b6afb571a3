/** Our syslog lines and rsyslog: does a collector that others wrote read them as we mean them, and confirm them? */
import test from 'ava'
import { findingLine } from '../../server/health/syslog-line.ts'
import { deliver } from '../../server/health/syslog-transport.ts'
import { TestAuthority } from '../support/certificates.ts'
import { Rsyslog } from '../support/rsyslog.ts'
import { until } from '../support/until.ts'

const origin = { hostname: 'clinic.example', version: '0.1.0', pseudonymKey: new Uint8Array(32) }
const lineOf = (number: number) =>
  findingLine(
    {
      number,
      ts: 1_800_000_000_000,
      change: 'found',
      code: 'disk.filling',
      severity: 'warning',
      facts: { text: 'ü' },
    },
    origin,
  )

test('rsyslog reads every line by TLS, tells header from message, and gives its receipt', async t => {
  const authority = new TestAuthority()
  const rsyslog = await Rsyslog.start(authority)
  t.teardown(() => rsyslog.close())
  const at = { host: 'localhost', port: rsyslog.port, authority: authority.certificate }
  const wanted = Array.from({ length: 500 }, (_, i) => i + 1)
  await deliver(at, wanted.map(lineOf))
  await until(() => rsyslog.received().length >= wanted.length)
  const received = rsyslog.received()
  t.is(
    received[0],
    'daemon.warning clinic.example letro health [timeQuality tzKnown="1"][origin software="letro" swVersion="0.1.0"] ' +
      '{"number":1,"change":"found","code":"disk.filling","severity":"warning","facts":{"text":"\\u00fc"}}',
  )
  t.deepEqual(
    received.map(line => JSON.parse(line.slice(line.indexOf('{'))).number),
    wanted,
  )
})

test('what rsyslog has confirmed is there after it was stopped and started', async t => {
  const authority = new TestAuthority()
  const rsyslog = await Rsyslog.start(authority)
  t.teardown(() => rsyslog.close())
  const at = { host: 'localhost', port: rsyslog.port, authority: authority.certificate }
  let failed = 0
  for (let number = 1; number <= 20; number++) {
    if (number === 10) await rsyslog.stop()
    for (;;) {
      const isConfirmed = await deliver(at, [lineOf(number)]).then(
        () => true,
        () => false,
      )
      if (isConfirmed) break
      if (failed++ === 2) await rsyslog.resume()
    }
  }
  t.true(failed >= 3)
  const numbers = () =>
    new Set(rsyslog.received().map(line => JSON.parse(line.slice(line.indexOf('{'))).number))
  await until(() => numbers().size >= 20)
  t.is(numbers().size, 20)
})
