import assert from "node:assert/strict";
import { createHash, X509Certificate } from "node:crypto";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { VirtualNetwork } from "../../sim/virtual-network.ts";
import { Batch } from "../base/batch.ts";
import { HostError } from "../base/errors.ts";
import { primitives } from "../host/crypto.ts";
import { faketcpPrimitives } from "../host/faketcp-crypto.ts";
import { silentLog } from "../host/log.ts";
import type { TlsOptions } from "../host/tls-openssl.ts";
import { TcpCarrier } from "./tcp-carrier.ts";
import { plainTcp } from "./tcp-dialer.ts";
import { overTls } from "./tls-dialer.ts";

/** Of the name far.example, signed by itself, made for this test alone. */
const certificate = `-----BEGIN CERTIFICATE-----
MIIBmzCCAUGgAwIBAgIUH6Jo/c4zOsXLuBBwXCMnSnucr1cwCgYIKoZIzj0EAwIw
FjEUMBIGA1UEAwwLZmFyLmV4YW1wbGUwIBcNMjYxMTIxMTIwNDE4WhgPMjEyNjEw
MjgxMjA0MThaMBYxFDASBgNVBAMMC2Zhci5leGFtcGxlMFkwEwYHKoZIzj0CAQYI
KoZIzj0DAQcDQgAEo5/vIPinVoyAyrSa5tMsoePlh+DNSXkyJmpEcYWLFtpOSlgm
JOntKuuFvkTOVOIBcc7f0Ab+CqE9oO+Yd5kc5aNrMGkwHQYDVR0OBBYEFGQC73Ys
C+4rrQnW/fZcD4LVOzjmMB8GA1UdIwQYMBaAFGQC73YsC+4rrQnW/fZcD4LVOzjm
MA8GA1UdEwEB/wQFMAMBAf8wFgYDVR0RBA8wDYILZmFyLmV4YW1wbGUwCgYIKoZI
zj0EAwIDSAAwRQIgHRqeM7sEid2x3UEnwgsyvjRW06HlY0suL50RnZTPzH0CIQCQ
MBN6mkH5DaFHXsz1kmky6P6ec2FQJlBpLS5pP4JVWw==
-----END CERTIFICATE-----
`;
const key = `-----BEGIN PRIVATE KEY-----
MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgb53drYlJi48UAaOQ
VpmVyakVviRtMsRzxzcvLPTTm8WhRANCAASjn+8g+KdWjIDKtJrm0yyh4+WH4M1J
eTImakRxhYsW2k5KWCYk6e0q64W+RM5U4gFxzt/QBv4KoT2g75h3mRzl
-----END PRIVATE KEY-----
`;
const folder = mkdtempSync(join(tmpdir(), "longhaul-tls-"));
after(() => rmSync(folder, { recursive: true }));
const files = { certificate: join(folder, "certificate.pem"), key: join(folder, "key.pem") };
writeFileSync(files.certificate, certificate);
writeFileSync(files.key, key);
const pin = createHash("sha256").update(new X509Certificate(certificate).raw).digest("hex");
const at = { host: "10.0.0.2", port: 4430 };

/** Sends datagrams both ways through TLS; answers what arrived, and what was heard on the way. */
function carried(options: TlsOptions): { there: number; back: number; wire: Buffer } {
  const network = new VirtualNetwork();
  const loop = network.host("10.0.0.2");
  const wire: Uint8Array[] = [];
  const connect = loop.connect.bind(loop);
  loop.connect = (to, handler) => {
    const socket = connect(to, handler);
    const write = socket.write.bind(socket);
    socket.write = (bytes, start, end) => {
      wire.push(bytes.slice(start, end));
      return write(bytes, start, end);
    };
    return socket;
  };
  const all = { ...primitives, ...faketcpPrimitives };
  const end = (role: "client" | "server", tls: TlsOptions) =>
    new TcpCarrier(loop, { primitives: all, dial: overTls(role, tls, plainTcp({})), connections: 2, password: "secret" }, silentLog);
  let [there, back] = [0, 0];
  const server = end("server", files).listen(
    at,
    {},
    {
      receive: (_now, batch) => {
        there += batch.length;
        server.send(batch, 0);
      },
      writable: () => undefined,
    },
  );
  const client = end("client", options).dial(at, {}, { receive: (_now, batch) => (back += batch.length), writable: () => undefined });
  network.run(200);
  for (let round = 0; round < 20; round++) {
    const batch = new Batch(20);
    for (let i = 0; i < 20; i++) {
      const start = batch.slot(i);
      batch.bytes.fill(i, start, start + 1400);
      batch.add(start, start + 1400);
    }
    client.send(batch, 0);
    network.run(network.now + 50);
  }
  return { there, back, wire: Buffer.concat(wire) };
}

test("datagrams cross TLS when the certificate is the pinned one, or an authority's and of that name", () => {
  for (const options of [{ pin, name: "any.example" }, { pin }, { authorities: files.certificate, name: "far.example" }]) {
    const { there, back, wire } = carried(options);
    assert.deepEqual([there, back], [400, 400], JSON.stringify(options));
    // A handshake record of TLS, and the name that is asked for in it.
    assert.equal(wire[0], 0x16);
    if ("name" in options) assert.ok(wire.includes(options.name), "SNI");
  }
});

test("another certificate, another name or an unknown authority: nothing is carried", () => {
  const wrong: TlsOptions[] = [{ pin: "0".repeat(64) }, { authorities: files.certificate, name: "other.example" }, { name: "far.example" }];
  for (const options of wrong) {
    const { there, back } = carried(options);
    assert.deepEqual([there, back], [0, 0], JSON.stringify(options));
  }
});

test("a file that cannot be used is named", () => {
  assert.throws(
    () => overTls("server", { certificate: join(folder, "none.pem") }, plainTcp({})),
    (error) => error instanceof HostError && /none\.pem/.test(error.message),
  );
});
