/** The second part of `npm test`: people at browsers. One file after the other, for each has a server and browsers of its own. */
export default {
  files: ['test/e2e/**/*.test.ts'],
  extensions: ['ts'],
  timeout: '5m',
  concurrency: 1,
  workerThreads: false,
}
