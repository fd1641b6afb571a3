/**
 * Readings and findings as OpenMetrics text, for Prometheus.
 *
 * Readings become gauges by rule, so that a new reading is a new metric: `disk.available_bytes` is
 * `letro_disk_available_bytes`; times become `_timestamp_seconds`, durations seconds, true and false 1 and 0. In a list each
 * element is a sample, told apart by its name in a label (`server_name`, `device`, `subject`, `use`). All other words stay out.
 *
 * Written by hand, not by prom-client: that counts events in the process; here gauges are read when asked, and the format
 * is what stands below.
 *
 * Spec: OpenMetrics 1.0 (prometheus.io/docs/specs/om/open_metrics_spec)
 */
import { isObject, type Json, type JsonObject } from '../protocol/json.ts'
import { severities } from './finding.ts'
import type { HealthReport } from './health.ts'

export const openMetricsType = 'application/openmetrics-text; version=1.0.0; charset=utf-8'

type Labels = Readonly<Record<string, string>>
type Families = Map<string, { readonly labels: Labels; readonly value: number }[]>

const labelNames = ['server_name', 'device', 'subject', 'use'] as const

export function openMetrics({ state, findings, readings }: HealthReport, version: string): string {
  const families: Families = new Map()
  add(families, 'letro_build', { version }, 1)
  add(families, 'letro_health_state', {}, ['ok', ...severities].indexOf(state))
  for (const severity of severities) {
    add(families, 'letro_findings', { severity }, findings.filter(one => one.severity === severity).length)
  }
  for (const { code, severity, subject } of findings) {
    add(families, 'letro_finding', { code, severity, ...(subject === undefined ? {} : { subject }) }, 1)
  }
  for (const [name, reading] of Object.entries(readings)) addReading(families, `letro_${name}`, reading, {})
  const blocks = [...families].map(([name, samples]) =>
    [
      `# TYPE ${name} gauge`,
      ...samples.map(({ labels, value }) => `${name}${labelText(labels)} ${value}`),
    ].join('\n'),
  )
  return `${blocks.join('\n')}\n# EOF\n`
}

function addReading(families: Families, prefix: string, reading: JsonObject, labels: Labels): void {
  for (const [name, value] of Object.entries(reading)) {
    if (typeof value === 'number' || typeof value === 'boolean')
      addNumber(families, prefix, name, Number(value), labels)
    else if (Array.isArray(value)) addList(families, prefix, value, labels)
    else if (isObject(value)) addReading(families, `${prefix}_${name}`, value, labels)
  }
}

function addList(families: Families, prefix: string, list: readonly Json[], labels: Labels): void {
  for (const element of list) {
    if (!isObject(element)) continue
    const one = element
    const named = labelNames.flatMap(label => (typeof one[label] === 'string' ? [[label, one[label]]] : []))
    // Without a name two elements would be one sample.
    if (named.length > 0 || list.length === 1)
      addReading(families, prefix, one, { ...labels, ...Object.fromEntries(named) })
  }
}

function addNumber(families: Families, prefix: string, name: string, value: number, labels: Labels): void {
  if (!Number.isFinite(value)) return
  if (name.endsWith('_ts'))
    add(families, `${prefix}_${name.slice(0, -3)}_timestamp_seconds`, labels, value / 1000)
  else if (name.endsWith('_ms')) add(families, `${prefix}_${name.slice(0, -3)}_seconds`, labels, value / 1000)
  else add(families, `${prefix}_${name}`, labels, value)
}

function add(families: Families, name: string, labels: Labels, value: number): void {
  const family = name.replaceAll(/[^a-zA-Z0-9_]/g, '_')
  const samples = families.get(family) ?? []
  families.set(family, samples)
  samples.push({ labels, value })
}

function labelText(labels: Labels): string {
  const pairs = Object.entries(labels).map(([name, value]) => `${name}="${escaped(value)}"`)
  return pairs.length === 0 ? '' : `{${pairs.join(',')}}`
}

function escaped(value: string): string {
  return value.replaceAll('\\', '\\\\').replaceAll('"', '\\"').replaceAll('\n', '\\n')
}
