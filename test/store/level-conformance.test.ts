import { mkdtemp } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import test from 'ava'
import { openLevelStore } from '../../server/store/level-engine.ts'
import { conformance } from './conformance.ts'

conformance(test, async () => openLevelStore(await mkdtemp(join(tmpdir(), 'letro-store-'))))
