/** The first part of `npm test`: everything but the app in a browser against the real server, which is test/e2e. */
export default {
  files: ['test/**/*.test.ts', '!test/interop/**', '!test/e2e/**'],
  extensions: ['ts'],
  timeout: '2m',
  workerThreads: false,
}
