/** The first part of `npm test`: everything but the app in a browser against the real server, and but for tests that start several servers. */
export default {
  files: [
    'test/**/*.test.ts',
    '!test/interop/**',
    '!test/e2e/**',
    '!test/federation/processes/**',
    '!test/appliance/machines/**',
  ],
  extensions: ['ts'],
  timeout: '10m',
  workerThreads: false,
}
