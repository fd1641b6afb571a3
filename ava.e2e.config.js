/** The second part of `npm test`: people at browsers, and several servers. Each file starts processes of its own, which wait much: two at a time. */
export default {
  files: ['test/e2e/**/*.test.ts', 'test/federation/processes/**/*.test.ts'],
  extensions: ['ts'],
  timeout: '10m',
  concurrency: 2,
  workerThreads: false,
}
