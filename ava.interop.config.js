/** The interop stage: other implementations against ours, and the long crash tests. One file at a time. */
export default {
  files: ['test/interop/**/*.test.ts'],
  extensions: ['ts'],
  timeout: '10m',
  concurrency: 1,
  workerThreads: false,
}
