/**
 * The disk that the data folder lies on: how full it is, and when it will be.
 *
 * One sample a day is kept, for the last hundred days. A day that lies in the future (the clock was wrong) is forgotten.
 */
import { statfs } from 'node:fs/promises'
import { diskSampleTable } from '../store/catalogue.ts'
import type { Store } from '../store/store.ts'
import type { HealthSource, Reading } from './finding.ts'
import { daysUntilFull, growthPerDay } from './growth.ts'

export interface DiskUse {
  readonly sizeBytes: number
  /** What an ordinary program can still write. */
  readonly availableBytes: number
}

export interface DiskDeps {
  readonly store: Store
  readonly use: () => Promise<DiskUse>
}

export interface Disk {
  readonly source: HealthSource
  readonly reading: Reading
  /** Keeps today's sample; run by a duty, any number of times a day. */
  sample(now: number): Promise<void>
}

const dayMs = 86_400_000
const keptDays = 100
/** The last four weeks say how it grows now. */
const looksBackDays = 28
const gibibyte = 1024 ** 3

/** Below these an administrator is told. A share alone would cry wolf on a large disk, bytes alone on a small one. */
const warnAt = { availableBytes: 20 * gibibyte, share: 0.1, days: 30 }
const alarmAt = { availableBytes: 2 * gibibyte, share: 0.05, days: 7 }

export function openDisk({ store, use }: DiskDeps): Disk {
  async function look(now: number) {
    const [{ sizeBytes, availableBytes }, samples] = await Promise.all([use(), samplesUpTo(now)])
    const bytesPerDay = growthPerDay(samples)
    return { sizeBytes, availableBytes, bytesPerDay, daysLeft: daysUntilFull(availableBytes, bytesPerDay) }
  }

  async function samplesUpTo(now: number) {
    const today = Math.floor(now / dayMs)
    const rows = await store.read(view =>
      view.range(diskSampleTable.under(), { before: diskSampleTable.key(today + 1) }),
    )
    return rows
      .filter(({ parts }) => parts[0] >= today - looksBackDays)
      .map(({ parts, value }) => ({ day: parts[0], usedBytes: value.usedBytes }))
  }

  return {
    source: async now => {
      const { sizeBytes, availableBytes, bytesPerDay, daysLeft } = await look(now)
      const isBelow = (at: typeof warnAt) =>
        (availableBytes < at.availableBytes && availableBytes < sizeBytes * at.share) ||
        (daysLeft !== null && daysLeft < at.days)
      const facts = {
        available_bytes: availableBytes,
        size_bytes: sizeBytes,
        ...(bytesPerDay === null ? {} : { bytes_per_day: Math.round(bytesPerDay) }),
        ...(daysLeft === null ? {} : { days_left: daysLeft }),
      }
      if (isBelow(alarmAt)) return [{ code: 'disk.full-soon', severity: 'alarm', facts }]
      if (isBelow(warnAt)) return [{ code: 'disk.filling', severity: 'warning', facts }]
      return []
    },

    reading: async now => {
      const { sizeBytes, availableBytes, bytesPerDay, daysLeft } = await look(now)
      return {
        size_bytes: sizeBytes,
        available_bytes: availableBytes,
        ...(bytesPerDay === null ? {} : { bytes_per_day: Math.round(bytesPerDay) }),
        ...(daysLeft === null ? {} : { days_left: daysLeft }),
      }
    },

    sample: async now => {
      const today = Math.floor(now / dayMs)
      const { sizeBytes, availableBytes } = await use()
      await store.transact('health-disk', async tx => {
        const kept = await tx.range(diskSampleTable.under())
        for (const { key, parts } of kept) {
          if (parts[0] > today || parts[0] <= today - keptDays) tx.delete(key)
        }
        if (kept.some(({ parts }) => parts[0] === today)) return
        tx.put(diskSampleTable.key(today), { ts: now, usedBytes: sizeBytes - availableBytes, sizeBytes })
      })
    },
  }
}

export async function diskUseOf(folder: string): Promise<DiskUse> {
  const { bsize, blocks, bavail } = await statfs(folder)
  return { sizeBytes: blocks * bsize, availableBytes: bavail * bsize }
}
