/**
 * The installation's own certificate authority: it vouches for control processes to edges, and for edges to control processes. Nobody else trusts it, and it is
 * for nothing else.
 *
 *   authority (10 years) ─┬─ a control process (made at its start, 90 days; only serverAuth)
 *                         └─ an edge (1 year, renewed over its stream; only clientAuth; CN = its id)
 *
 * Source: RFC 5280. Its key lies in the store, sealed; a copy of the store is worth nothing without the master key.
 */
import "reflect-metadata";
import { createPrivateKey, randomBytes, webcrypto, X509Certificate } from "node:crypto";
import {
  BasicConstraintsExtension,
  cryptoProvider,
  ExtendedKeyUsage,
  ExtendedKeyUsageExtension,
  type Extension,
  KeyUsageFlags,
  KeyUsagesExtension,
  Pkcs10CertificateRequest,
  SubjectAlternativeNameExtension,
  X509CertificateGenerator,
} from "@peculiar/x509";
import { ProtocolError } from "../../base/errors.ts";
import type { Seal } from "../seal.ts";
import type { Database } from "../store/database.ts";

const DAY_MS = 86_400_000;
const AUTHORITY_MS = 3650 * DAY_MS;
const CONTROL_MS = 90 * DAY_MS;
export const EDGE_MS = 365 * DAY_MS;
const REQUEST_BYTES_MAX = 8192;
const PURPOSE = "edge-authority";
const algorithm = { name: "ECDSA", namedCurve: "P-256", hash: "SHA-256" };

export interface Issued {
  /** PEM. */
  readonly certificate: string;
  readonly serial: string;
}

export class Authority {
  /** PEM. */
  readonly certificate: string;
  /** SHA-256 of its DER, in hex: what a join token carries. */
  readonly fingerprint: string;
  readonly #key: webcrypto.CryptoKey;

  private constructor(certificate: string, key: webcrypto.CryptoKey) {
    this.certificate = certificate;
    this.fingerprint = new X509Certificate(certificate).fingerprint256.replaceAll(":", "").toLowerCase();
    this.#key = key;
  }

  /** Makes it at the first time; of several processes that try, one wins. */
  static async open(database: Database, seal: Seal, now: number): Promise<Authority> {
    cryptoProvider.set(webcrypto as Crypto);
    const stored = () => database.selectFrom("edge_authority").selectAll().where("id", "=", 1).executeTakeFirst();
    if ((await stored()) === undefined) {
      const made = await make(now);
      const row = { id: 1, certificate: made.certificate, key_sealed: seal.seal(PURPOSE, made.key) };
      await database
        .insertInto("edge_authority")
        .values(row)
        .onConflict((conflict) => conflict.column("id").doNothing())
        .execute();
    }
    const { certificate, key_sealed } = (await stored())!;
    const der = createPrivateKey(seal.open(PURPOSE, key_sealed)).export({ type: "pkcs8", format: "der" });
    const key = await webcrypto.subtle.importKey("pkcs8", new Uint8Array(der), algorithm, false, ["sign"]);
    return new Authority(certificate, key);
  }

  /** For a control process that is reached by these names and addresses; certificates in the order TLS wants them. */
  async vouchForControl(names: readonly string[], now: number): Promise<{ readonly cert: string; readonly key: string }> {
    const keys = (await webcrypto.subtle.generateKey(algorithm, true, ["sign", "verify"])) as webcrypto.CryptoKeyPair;
    const alternatives = names.map((value) => ({ type: /^[\d.]+$|:/.test(value) ? ("ip" as const) : ("dns" as const), value }));
    const issued = await this.#issue(`CN=${names[0] ?? "control"}`, keys.publicKey as never, CONTROL_MS, now, [
      new ExtendedKeyUsageExtension([ExtendedKeyUsage.serverAuth], true),
      ...(alternatives.length === 0 ? [] : [new SubjectAlternativeNameExtension(alternatives)]),
    ]);
    const pkcs8 = Buffer.from(await webcrypto.subtle.exportKey("pkcs8", keys.privateKey));
    const key = createPrivateKey({ key: pkcs8, format: "der", type: "pkcs8" }).export({ type: "pkcs8", format: "pem" }).toString();
    return { cert: `${issued.certificate}\n${this.certificate}`, key };
  }

  /** For the holder of the key in the request (PEM), under our name for it. @throws ProtocolError when it is no request or not signed by its key */
  async vouchForEdge(id: string, pem: string, now: number): Promise<Issued> {
    if (pem.length > REQUEST_BYTES_MAX) throw new ProtocolError("edge.request", "a certificate request of so many bytes");
    let request: Pkcs10CertificateRequest;
    let signed = false;
    try {
      request = new Pkcs10CertificateRequest(pem);
      signed = await request.verify();
    } catch {
      throw new ProtocolError("edge.request", "no certificate request");
    }
    if (!signed) throw new ProtocolError("edge.request", "a certificate request that its key did not sign");
    const key = await request.publicKey.export();
    return this.#issue(`CN=${id}`, key as never, EDGE_MS, now, [new ExtendedKeyUsageExtension([ExtendedKeyUsage.clientAuth], true)]);
  }

  async #issue(subject: string, publicKey: CryptoKey, lifetime: number, now: number, extensions: readonly Extension[]): Promise<Issued> {
    const serial = serialNumber();
    const certificate = await X509CertificateGenerator.create({
      serialNumber: serial,
      subject,
      issuer: NAME,
      notBefore: new Date(now - DAY_MS),
      notAfter: new Date(now + lifetime),
      signingAlgorithm: algorithm,
      publicKey,
      signingKey: this.#key as CryptoKey,
      extensions: [
        new BasicConstraintsExtension(false, undefined, true),
        new KeyUsagesExtension(KeyUsageFlags.digitalSignature, true),
        ...extensions,
      ],
    });
    return { certificate: certificate.toString("pem"), serial };
  }
}

async function make(now: number): Promise<{ certificate: string; key: string }> {
  const keys = (await webcrypto.subtle.generateKey(algorithm, true, ["sign", "verify"])) as webcrypto.CryptoKeyPair;
  const certificate = await X509CertificateGenerator.createSelfSigned({
    serialNumber: serialNumber(),
    name: NAME,
    notBefore: new Date(now - DAY_MS),
    notAfter: new Date(now + AUTHORITY_MS),
    signingAlgorithm: algorithm,
    keys,
    extensions: [new BasicConstraintsExtension(true, 0, true), new KeyUsagesExtension(KeyUsageFlags.keyCertSign, true)],
  });
  const pkcs8 = Buffer.from(await webcrypto.subtle.exportKey("pkcs8", keys.privateKey));
  const key = createPrivateKey({ key: pkcs8, format: "der", type: "pkcs8" }).export({ type: "pkcs8", format: "pem" }).toString();
  return { certificate: `${certificate.toString("pem")}\n`, key };
}

function serialNumber(): string {
  return `01${randomBytes(15).toString("hex")}`;
}

const NAME = "CN=Longhaul installation";
