/** A connection of a machine to its neighbour, as QEMU starts it: what comes in goes to a port of loopback, and back. */
import { connect } from 'node:net'

const neighbour = connect(Number(process.argv[2]), '127.0.0.1')
neighbour.once('error', () => process.exit(1))
process.stdin.pipe(neighbour).pipe(process.stdout)
