/**
 * What device-management systems take to make devices trust the private authority, one file for each kind.
 *
 * All of them hold the authority's certificate, which is no secret, and nothing else of ours.
 */
import { createHash, type X509Certificate } from 'node:crypto'
import { mobileconfigType, rootProfile } from '#protocol/mobileconfig.ts'
import { nameOf } from './certificate-chain.ts'
import { permittedNames } from './certificate-names.ts'
import type { CertificateSite } from './certificate-site.ts'
import { folded } from './terminal.ts'

export interface ProfileFile {
  readonly name: string
  readonly content: string | Uint8Array
  /** Who takes it, and where it goes. */
  readonly use: string
}

export function mdmProfiles(authority: X509Certificate, serverName: string): ProfileFile[] {
  const der = new Uint8Array(authority.raw)
  const base64 = authority.raw.toString('base64')
  const sha1 = createHash('sha1').update(der).digest('hex').toUpperCase()
  const file = `${serverName.replaceAll(/[^0-9A-Za-z.-]/g, '_')}-authority`
  return [
    {
      name: `${file}.mobileconfig`,
      content: rootProfile({
        certificate: der,
        fingerprint: createHash('sha256').update(der).digest(),
        serverName,
        texts: {
          title: `Letro ${serverName}`,
          description: `Lets this device recognise ${serverName}. It can vouch for that server and for no other.`,
          organisation: serverName,
        },
      }),
      use: `iPhone, iPad, Mac (${mobileconfigType}): Apple Configurator, Jamf, Intune ("custom profile"), any Apple MDM. A profile that comes by MDM is trusted at once; one installed by hand needs Settings > General > About > Certificate Trust Settings as well.`,
    },
    {
      name: `${file}.cer`,
      content: der,
      use: 'Windows, Android, Mac (DER): Intune "Trusted certificate" for each platform (destination store on Windows: Computer certificate store - Root); Group Policy: Computer Configuration > Policies > Windows Settings > Security Settings > Public Key Policies > Trusted Root Certification Authorities > Import; other Android EMMs: CA certificate. By hand on Windows: certutil -addstore Root FILE',
    },
    {
      name: `${file}.crt`,
      content: authority.toString(),
      use: 'Linux (PEM): Debian, Ubuntu: /usr/local/share/ca-certificates, then update-ca-certificates; Fedora, RHEL: /etc/pki/ca-trust/source/anchors, then update-ca-trust. Google Admin console: Devices > Networks > Certificates, or Chrome Root Store. Android by hand: Settings > Security > Install a certificate > CA certificate.',
    },
    {
      name: 'windows-rootcatrustedcertificates.xml',
      content: syncMl(sha1, base64),
      use: 'Windows by an MDM that takes SyncML: the RootCATrustedCertificates CSP. (Intune: take the .cer.)',
    },
    {
      name: 'android-open-network-configuration.json',
      content: json({
        Type: 'UnencryptedConfiguration',
        Certificates: [
          {
            GUID: `letro-${sha1.slice(0, 16).toLowerCase()}`,
            Type: 'Authority',
            TrustBits: ['Web'],
            X509: base64,
          },
        ],
      }),
      use: 'Android Management API (policy field openNetworkConfiguration) and ChromeOS.',
    },
    {
      name: 'firefox-policies.json',
      content: json({
        policies: { Certificates: { ImportEnterpriseRoots: true, Install: [`${file}.crt`] } },
      }),
      use: `Firefox has a store of its own: save as policies.json in the folder "distribution" beside Firefox (Linux also /etc/firefox/policies). On Windows and Mac it takes what the system trusts; for Linux put ${file}.crt into /usr/lib/mozilla/certificates.`,
    },
    {
      name: 'chrome-policies.json',
      content: json({ CACertificates: [base64] }),
      use: 'Chrome, Chromium and Edge where the system’s store cannot be used: the policy CACertificates (Linux: /etc/opt/chrome/policies/managed).',
    },
  ]
}

/** What the files call the server. */
export function nameForDevices({ names }: CertificateSite, authority: X509Certificate): string {
  return names[0] ?? permittedNames(authority.toString())?.[0] ?? 'letro'
}

/** What stands beside the files. */
export function mdmReadme(
  authority: X509Certificate,
  serverName: string,
  files: readonly ProfileFile[],
): string {
  return `Files with which devices learn to trust ${serverName}

They all hold the certificate of its authority, "${nameOf(authority)}". Nothing in them is secret. The
authority can vouch for this server's names and for nothing else. Its fingerprint (SHA-256), to compare with
what the server's console or "letro certificate show" says:

  ${authority.fingerprint256.slice(0, 47)}
  ${authority.fingerprint256.slice(48)}

${files.map(({ name, use }) => `${name}\n${folded(use, '    ')}\n`).join('\n')}`
}

function syncMl(sha1: string, base64: string): string {
  return `<SyncML xmlns="SYNCML:SYNCML1.2">
  <SyncBody>
    <Add>
      <CmdID>1</CmdID>
      <Item>
        <Target><LocURI>./Device/Vendor/MSFT/RootCATrustedCertificates/Root/${sha1}/EncodedCertificate</LocURI></Target>
        <Meta><Format xmlns="syncml:metinf">b64</Format><Type xmlns="syncml:metinf">text/plain</Type></Meta>
        <Data>${base64}</Data>
      </Item>
    </Add>
    <Final/>
  </SyncBody>
</SyncML>
`
}

const json = (value: object) => `${JSON.stringify(value, null, 2)}\n`
