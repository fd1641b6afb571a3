/** The appliance in QEMU: one machine at a time, one story after the other. `npm run test:appliance` runs it. */
export default {
  files: ['test/appliance/machines/*.test.ts'],
  extensions: ['ts'],
  timeout: '30m',
  concurrency: 1,
  workerThreads: false,
}
