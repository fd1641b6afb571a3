/** What `npm test` runs; the stages under test/interop need more of the machine and are run by `.ci/run`. */
export default {
  files: ['test/**/*.test.ts', '!test/interop/**'],
  extensions: ['ts'],
  timeout: '60s',
  workerThreads: false,
}
