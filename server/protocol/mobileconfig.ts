/**
 * A configuration profile (.mobileconfig) with which iPhones, iPads and Macs learn a certificate authority.
 *
 * Server and command line hand out the same bytes: the identifiers come from the certificate, so that a profile that is
 * installed twice, by hand and by device management, replaces itself. It is not signed: what is compared is the fingerprint.
 *
 * Format: Apple, "Configuration Profile Reference", payload com.apple.security.root
 */
export interface RootProfile {
  /** DER. */
  readonly certificate: Uint8Array
  /** SHA-256 of it. */
  readonly fingerprint: Uint8Array
  readonly serverName: string
  readonly texts: {
    /** What people see in the list of profiles. */
    readonly title: string
    readonly description: string
    readonly organisation: string
  }
}

export const mobileconfigType = 'application/x-apple-aspen-config'

export function rootProfile({ certificate, fingerprint, serverName, texts }: RootProfile): string {
  const id = `org.letro.authority.${fingerprint.subarray(0, 8).toHex()}`
  return `<?xml version="1.0" encoding="UTF-8"?>
<!DOCTYPE plist PUBLIC "-//Apple//DTD PLIST 1.0//EN" "http://www.apple.com/DTDs/PropertyList-1.0.dtd">
<plist version="1.0">
<dict>
	<key>PayloadType</key><string>Configuration</string>
	<key>PayloadVersion</key><integer>1</integer>
	<key>PayloadIdentifier</key><string>${id}</string>
	<key>PayloadUUID</key><string>${uuid(fingerprint.subarray(0, 16))}</string>
	<key>PayloadDisplayName</key><string>${escaped(texts.title)}</string>
	<key>PayloadDescription</key><string>${escaped(texts.description)}</string>
	<key>PayloadOrganization</key><string>${escaped(texts.organisation)}</string>
	<key>PayloadRemovalDisallowed</key><false/>
	<key>PayloadContent</key>
	<array>
		<dict>
			<key>PayloadType</key><string>com.apple.security.root</string>
			<key>PayloadVersion</key><integer>1</integer>
			<key>PayloadIdentifier</key><string>${id}.certificate</string>
			<key>PayloadUUID</key><string>${uuid(fingerprint.subarray(16, 32))}</string>
			<key>PayloadDisplayName</key><string>${escaped(texts.title)}</string>
			<key>PayloadDescription</key><string>${escaped(texts.description)}</string>
			<key>PayloadCertificateFileName</key><string>${escaped(serverName.replaceAll(/[^0-9A-Za-z.-]/g, '_'))}-authority.cer</string>
			<key>PayloadContent</key>
			<data>${certificate.toBase64()}</data>
		</dict>
	</array>
</dict>
</plist>
`
}

/** Spec: RFC 9562 section 5.8: version 8, whose other bits are ours to choose. */
function uuid(bytes: Uint8Array): string {
  const chosen = Uint8Array.from(bytes)
  chosen[6] = (chosen[6]! & 0x0f) | 0x80
  chosen[8] = (chosen[8]! & 0x3f) | 0x80
  return chosen
    .toHex()
    .replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5')
    .toUpperCase()
}

function escaped(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;')
}
