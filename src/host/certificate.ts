/**
 * A certificate for TLS: one that is given in files, or one of our own making, kept in a folder and made again before it runs out. Nobody vouches for the latter:
 * it keeps a stream key from being read on its way, and whoever connects may pin its fingerprint.
 */
import "reflect-metadata";
import { createPrivateKey, randomBytes, webcrypto, X509Certificate } from "node:crypto";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { cryptoProvider, SubjectAlternativeNameExtension, X509CertificateGenerator } from "@peculiar/x509";
import { ConfigError } from "../base/errors.ts";
import type { Certificate } from "./listener-net.ts";

const DAY_MS = 86_400_000;
const LIFETIME_MS = 825 * DAY_MS;
const RENEW_BEFORE_MS = 30 * DAY_MS;
const algorithm = { name: "ECDSA", namedCurve: "P-256", hash: "SHA-256" };

/** Reads PEM files. @throws ConfigError when they cannot be read, or do not belong together */
export function certificateFromFiles(certFile: string, keyFile: string): Certificate {
  const read = (key: string, path: string): string => {
    try {
      return readFileSync(path, "utf8");
    } catch (error) {
      throw new ConfigError(key, `--${key}: "${path}" cannot be read: ${(error as NodeJS.ErrnoException).code}`);
    }
  };
  const cert = read("tlscert", certFile);
  const key = read("tlskey", keyFile);
  let fits = false;
  try {
    fits = new X509Certificate(cert).checkPrivateKey(createPrivateKey(key));
  } catch {
    throw new ConfigError("tlscert", `--tlscert, --tlskey: "${certFile}" and "${keyFile}" are not a certificate and its key in PEM`);
  }
  if (!fits) throw new ConfigError("tlskey", `--tlskey: "${keyFile}" is not the key of the certificate in "${certFile}"`);
  return { cert, key };
}

/** Our own certificate for `names`, kept in `folder` as tls-cert.pem and tls-key.pem. */
export async function ownCertificate(folder: string, names: readonly string[], now: number): Promise<Certificate> {
  const certFile = join(folder, "tls-cert.pem");
  const keyFile = join(folder, "tls-key.pem");
  try {
    const kept = { cert: readFileSync(certFile, "utf8"), key: readFileSync(keyFile, "utf8") };
    const { validTo, subjectAltName = "" } = new X509Certificate(kept.cert);
    if (Date.parse(validTo) > now + RENEW_BEFORE_MS && names.every((name) => subjectAltName.includes(name))) return kept;
  } catch {
    // There is none yet, or none that is whole.
  }
  const made = await selfSigned(names, now);
  writeFileSync(keyFile, made.key, { mode: 0o600 });
  writeFileSync(certFile, made.cert);
  return made;
}

async function selfSigned(names: readonly string[], now: number): Promise<Certificate> {
  cryptoProvider.set(webcrypto as Crypto);
  const keys = (await webcrypto.subtle.generateKey(algorithm, true, ["sign", "verify"])) as webcrypto.CryptoKeyPair;
  const certificate = await X509CertificateGenerator.createSelfSigned({
    serialNumber: `01${randomBytes(15).toString("hex")}`,
    name: `CN=${names[0]}`,
    notBefore: new Date(now - DAY_MS),
    notAfter: new Date(now + LIFETIME_MS),
    signingAlgorithm: algorithm,
    keys,
    extensions: [new SubjectAlternativeNameExtension(names.map((value) => ({ type: /^[\d.]+$|:/.test(value) ? "ip" : "dns", value })))],
  });
  const pkcs8 = Buffer.from(await webcrypto.subtle.exportKey("pkcs8", keys.privateKey));
  const key = createPrivateKey({ key: pkcs8, format: "der", type: "pkcs8" }).export({ type: "pkcs8", format: "pem" }).toString();
  return { cert: `${certificate.toString("pem")}\n`, key };
}
