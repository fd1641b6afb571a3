/** Whether a host is an address and no name. Spec: appendices#server-name: IPv4, or IPv6 in brackets; without its port. */
export function isIpLiteral(host: string): boolean {
  return host.startsWith('[') || /^[0-9]{1,3}(?:\.[0-9]{1,3}){3}$/.test(host)
}
