/** The appliance in QEMU, one machine after the other. `npm run test:appliance` builds what it needs and runs it. */
export default {
  files: ['test/appliance/machines/**/*.test.ts'],
  extensions: ['ts'],
  timeout: '30m',
  concurrency: 1,
  serial: true,
  workerThreads: false,
}
