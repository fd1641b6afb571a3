import test from 'ava'
import { openMemoryStore } from '../../server/store/memory-engine.ts'
import { conformance } from './conformance.ts'

let seed = 0
conformance(test, () => openMemoryStore({ slow: true, seed: ++seed }))
