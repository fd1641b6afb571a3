/**
 * Names in certificates: those a server's certificate is for, and those an authority may vouch for.
 *
 * Spec: RFC 5280 sections 4.2.1.6 (GeneralName), 4.2.1.10 (name constraints)
 */
import type { X509Certificate } from 'node:crypto'
import { isIP } from 'node:net'
import forge from 'node-forge'

/** Its types do not know these two. */
const ipBytes = forge.util as unknown as {
  bytesFromIP(text: string): string
  bytesToIP(bytes: string): string
}

/** GeneralName's tags. Spec: RFC 5280 section 4.2.1.6 */
const dnsName = 2
const ipAddress = 7

export function altName(name: string): { type: number; value?: string; ip?: string } {
  return isIP(name) === 0 ? { type: dnsName, value: name } : { type: ipAddress, ip: name }
}

/** All kinds of names that a server's certificate can carry are limited: a kind without a permitted name is excluded. */
export function nameConstraints(names: readonly string[]): string {
  const { asn1 } = forge
  const hosts = names.filter(name => isIP(name) === 0)
  const addresses = names.filter(name => isIP(name) !== 0)
  const subtree = (tag: number, value: string) =>
    asn1.create(asn1.Class.UNIVERSAL, asn1.Type.SEQUENCE, true, [
      asn1.create(asn1.Class.CONTEXT_SPECIFIC, tag as forge.asn1.Type, false, value),
    ])
  const permitted = [
    ...hosts.map(name => subtree(dnsName, name)),
    ...addresses.map(address => {
      const bytes = addressBytes(address)
      return subtree(ipAddress, Buffer.concat([bytes, Buffer.alloc(bytes.length, 0xff)]).toString('binary'))
    }),
  ]
  const excluded = [
    ...(hosts.length === 0 ? [subtree(dnsName, '')] : []),
    ...(addresses.length === 0
      ? [subtree(ipAddress, '\0'.repeat(8)), subtree(ipAddress, '\0'.repeat(32))]
      : []),
  ]
  const trees = [permitted, excluded].flatMap((list, tag) =>
    list.length === 0 ? [] : [asn1.create(asn1.Class.CONTEXT_SPECIFIC, tag as forge.asn1.Type, true, list)],
  )
  return asn1.toDer(asn1.create(asn1.Class.UNIVERSAL, asn1.Type.SEQUENCE, true, trees)).getBytes()
}

/**
 * What the authority was made for, read back from it. null: it could vouch for anything, because it has no constraints, has
 * them as a remark that programs may pass over, or leaves out DNS names or addresses.
 */
export function permittedNames(authority: string): string[] | null {
  const found = forge.pki.certificateFromPem(authority).getExtension('nameConstraints')
  if (!found) return null
  const { value, critical } = found as unknown as { value: string; critical: boolean }
  const trees = forge.asn1.fromDer(value).value as forge.asn1.Asn1[]
  const basesOf = (tag: number) => bases(trees.find(tree => (tree.type as number) === tag))
  const permitted = basesOf(0)
  const excluded = basesOf(1)
  const isLimited = (tag: number, all: readonly number[]) =>
    permitted.some(base => base.tag === tag && base.bytes.length > 0) ||
    all.every(length => excluded.some(base => base.tag === tag && base.bytes.equals(Buffer.alloc(length))))
  if (!critical || !isLimited(dnsName, [0]) || !isLimited(ipAddress, [8, 32])) return null
  return permitted.map(({ tag, bytes }) =>
    tag === ipAddress ? addressText(bytes) : bytes.toString('latin1'),
  )
}

function bases(tree: forge.asn1.Asn1 | undefined): { tag: number; bytes: Buffer }[] {
  return ((tree?.value ?? []) as forge.asn1.Asn1[]).map(subtree => {
    const [base] = subtree.value as forge.asn1.Asn1[]
    return { tag: base!.type as number, bytes: Buffer.from(base!.value as string, 'binary') }
  })
}

/** Is the certificate for all of them? */
export function covers(certificate: X509Certificate, names: readonly string[]): boolean {
  return names.every(name => isFor(certificate, name))
}

export function isFor(certificate: X509Certificate, name: string): boolean {
  return (isIP(name) === 0 ? certificate.checkHost(name) : certificate.checkIP(name)) !== undefined
}

/** The constraint `a.example` permits that name and what lies below it. */
export function liesWithin(name: string, permitted: string): boolean {
  if (isIP(name) !== 0)
    return addressBytes(name).equals(isIP(permitted) ? addressBytes(permitted) : Buffer.of())
  return name === permitted || name.endsWith(`.${permitted}`)
}

/** As certificates have it: no capitals, no brackets. null: no DNS name and no IP address. */
export function parseName(text: string): string | null {
  const bare = text.replace(/^\[(.*)\]$/, '$1').toLowerCase()
  if (isIP(bare) !== 0) return bare
  const isName =
    bare.length <= 253 &&
    /^(?:[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9])?\.)*[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?$/.test(bare)
  return isName ? bare : null
}

export function addressBytes(address: string): Buffer {
  return Buffer.from(ipBytes.bytesFromIP(address), 'binary')
}

/** Of a constraint: the address, then its mask. */
function addressText(constraint: Buffer): string {
  return ipBytes.bytesToIP(constraint.subarray(0, constraint.length / 2).toString('binary'))
}
