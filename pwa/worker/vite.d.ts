/** What vite makes of an import with a query: the address of a bundled worker. */
declare module '*?worker&url' {
  const address: string
  export default address
}
declare module '*?sharedworker&url' {
  const address: string
  export default address
}
