/** The second part of `npm test`: people at browsers, and several servers. One file after the other, for each starts processes of its own. */
export default {
  files: ['test/e2e/**/*.test.ts', 'test/federation/processes/**/*.test.ts'],
  extensions: ['ts'],
  timeout: '5m',
  concurrency: 1,
  workerThreads: false,
}
