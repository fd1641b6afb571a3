/** An authenticator in software: makes a passkey at enrolment and signs with it, as a browser hands it to the server (JSON). */
import { createHash, generateKeyPairSync, type KeyObject, randomBytes, sign } from 'node:crypto'

const flags = { present: 0x01, verified: 0x04, attested: 0x40 }

interface Ceremony {
  readonly challenge: string
  readonly rp?: { readonly id: string }
  readonly user?: { readonly id: string }
  readonly rpId?: string
}

export class Authenticator {
  readonly #origin: string
  readonly #id = randomBytes(16)
  readonly #key: KeyObject
  readonly #x: Buffer
  readonly #y: Buffer
  #user = ''
  #uses = 0

  constructor(origin: string) {
    this.#origin = origin
    const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
    const { x, y } = publicKey.export({ format: 'jwk' })
    this.#key = privateKey
    this.#x = Buffer.from(x!, 'base64url')
    this.#y = Buffer.from(y!, 'base64url')
  }

  /** @param options PublicKeyCredentialCreationOptionsJSON @returns RegistrationResponseJSON */
  create({ challenge, rp, user }: Ceremony): object {
    this.#user = user!.id
    // CBOR by hand: {1: 2, 3: -7, -1: 1, -2: x, -3: y}, and {fmt: "none", attStmt: {}, authData}.
    const bytes32 = [0x58, 32]
    const cose = Buffer.from([
      ...[0xa5, 1, 2, 3, 0x26, 0x20, 1, 0x21, ...bytes32, ...this.#x, 0x22, ...bytes32, ...this.#y],
    ])
    const credential = [Buffer.alloc(16), Buffer.from([0, this.#id.length]), this.#id, cose]
    const data = Buffer.concat([this.#data(rp!.id, flags.attested), ...credential])
    const text = (value: string) => Buffer.concat([Buffer.from([0x60 + value.length]), Buffer.from(value)])
    const attestationObject = Buffer.concat([
      ...[Buffer.from([0xa3]), text('fmt'), text('none'), text('attStmt'), Buffer.from([0xa0])],
      ...[text('authData'), Buffer.from([0x58, data.length]), data],
    ])
    return this.#answer({
      clientDataJSON: this.#client('webauthn.create', challenge).toString('base64url'),
      attestationObject: attestationObject.toString('base64url'),
      transports: ['internal'],
    })
  }

  /** @param options PublicKeyCredentialRequestOptionsJSON @returns AuthenticationResponseJSON */
  sign({ challenge, rpId }: Ceremony): object {
    const client = this.#client('webauthn.get', challenge)
    const data = this.#data(rpId!, 0)
    const message = Buffer.concat([data, sha256(client)])
    return this.#answer({
      clientDataJSON: client.toString('base64url'),
      authenticatorData: data.toString('base64url'),
      signature: sign('sha256', message, this.#key).toString('base64url'),
      userHandle: this.#user,
    })
  }

  #data(rpId: string, more: number): Buffer {
    const counter = Buffer.alloc(4)
    counter.writeUInt32BE(++this.#uses)
    return Buffer.concat([sha256(rpId), Buffer.from([flags.present | flags.verified | more]), counter])
  }

  #client(type: string, challenge: string): Buffer {
    return Buffer.from(JSON.stringify({ type, challenge, origin: this.#origin, crossOrigin: false }))
  }

  #answer(response: object): object {
    const id = this.#id.toString('base64url')
    return { id, rawId: id, type: 'public-key', clientExtensionResults: {}, response }
  }
}

function sha256(data: string | Buffer): Buffer {
  return createHash('sha256').update(data).digest()
}
