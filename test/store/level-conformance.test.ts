import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import test from 'ava'
import { openLevelStore } from '../../server/store/level-engine.ts'
import { conformance } from './conformance.ts'

const scratch = mkdtemp(join(tmpdir(), 'letro-store-'))
let stores = 0

conformance(test, async () => openLevelStore(join(await scratch, `${stores++}`)))

test.after.always(async () => rm(await scratch, { recursive: true, force: true }))
