/** A key of our own and the request by which an authority is asked for a certificate of it. RFC 2986, P-256. */
import "reflect-metadata";
import { createPrivateKey, webcrypto } from "node:crypto";
import { cryptoProvider, Pkcs10CertificateRequestGenerator } from "@peculiar/x509";

const algorithm = { name: "ECDSA", namedCurve: "P-256", hash: "SHA-256" };

/** Both in PEM. `key` does not leave this machine. */
export interface CertificateRequest {
  readonly key: string;
  readonly request: string;
}

export async function certificateRequest(name: string): Promise<CertificateRequest> {
  cryptoProvider.set(webcrypto as Crypto);
  const keys = (await webcrypto.subtle.generateKey(algorithm, true, ["sign", "verify"])) as webcrypto.CryptoKeyPair;
  const request = await Pkcs10CertificateRequestGenerator.create({ name: `CN=${name}`, signingAlgorithm: algorithm, keys });
  const pkcs8 = Buffer.from(await webcrypto.subtle.exportKey("pkcs8", keys.privateKey));
  const key = createPrivateKey({ key: pkcs8, format: "der", type: "pkcs8" }).export({ type: "pkcs8", format: "pem" }).toString();
  return { key, request: request.toString("pem") };
}
