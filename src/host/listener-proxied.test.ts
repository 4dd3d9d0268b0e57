/** Connections behind a proxy, in the clear and inside TLS: where they say they come from, whole whatever pieces their header comes in, and nothing from those without one. */
import assert from "node:assert/strict";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { connect, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { connect as connectTls } from "node:tls";
import { ownCertificate } from "./certificate.ts";
import type { TcpHandler, TcpSocket } from "./loop.ts";
import { NodeLoop } from "./loop-node.ts";
import { proxyHeader, readProxyHeader } from "./proxy-protocol.ts";

const V4 = { host: "203.0.113.7", port: 4711 };
const V6 = { host: "2001:db8::7", port: 443 };

test("headers are read as they are written", () => {
  for (const source of [V4, V6]) {
    const header = proxyHeader(source, source.host.includes(":") ? V6 : V4);
    assert.deepEqual(readProxyHeader(header), { length: header.length, source });
    for (let length = 0; length < header.length; length++) assert.equal(readProxyHeader(header.subarray(0, length)), "more");
  }
  assert.deepEqual(readProxyHeader(proxyHeader({ host: "", port: 0 }, V4)), { length: 16, source: undefined });
  assert.equal(readProxyHeader(new TextEncoder().encode("PROXY TCP4 203.0.113.7")), undefined);
  const long = proxyHeader(V4, V4).slice();
  long[14] = 0xff;
  assert.equal(readProxyHeader(long), undefined);
});

interface Got {
  remote: string;
  text: string;
}

function world(t: { after(done: () => void): void }, certificate?: { cert: string; key: string }) {
  const loop = new NodeLoop();
  t.after(() => loop.stop());
  const got: Got[] = [];
  const buffer = new Uint8Array(1024);
  const { local } = loop.listenWith({ host: "127.0.0.1", port: 0 }, { proxied: true, certificate }, (socket: TcpSocket): TcpHandler => {
    const here = { remote: socket.remote, text: "" };
    got.push(here);
    return {
      connected() {},
      writable() {},
      closed() {},
      readable() {
        for (let n = socket.read(buffer, 0, buffer.length); n > 0; n = socket.read(buffer, 0, buffer.length)) {
          here.text += new TextDecoder().decode(buffer.subarray(0, n));
          socket.write(new TextEncoder().encode("heard"), 0, 5);
        }
      },
    };
  });
  assert.ok("port" in local);
  return { port: local.port, got, loop };
}

async function dial(port: number): Promise<Socket> {
  const socket = connect(port, "127.0.0.1");
  socket.on("error", () => {});
  await once(socket, "connect");
  return socket;
}

test("in the clear, in one piece and byte for byte", async (t) => {
  const { port, got, loop } = world(t);
  const whole = await dial(port);
  whole.write(Buffer.concat([proxyHeader(V4, V4), Buffer.from("hello")]));
  await once(whole, "data");
  const pieces = await dial(port);
  pieces.setNoDelay(true);
  for (const byte of [...proxyHeader(V6, V6), ...Buffer.from("x")]) {
    pieces.write(Uint8Array.of(byte));
    await new Promise((done) => setImmediate(done));
  }
  await once(pieces, "data");
  assert.deepEqual(got, [
    { remote: "203.0.113.7:4711", text: "hello" },
    { remote: "[2001:db8::7]:443", text: "x" },
  ]);
  const without = await dial(port);
  without.write("C0 of an encoder without a proxy");
  await new Promise((done) => without.once("close", done));
  assert.equal(got.length, 2);
  assert.equal(loop.counters.acceptRefused, 1);
  for (const socket of [whole, pieces]) socket.destroy();
});

test("before TLS", async (t) => {
  const folder = mkdtempSync(join(tmpdir(), "longhaul-proxied-"));
  t.after(() => rmSync(folder, { recursive: true }));
  const { port, got } = world(t, await ownCertificate(folder, ["localhost"], Date.now()));
  const raw = await dial(port);
  raw.write(proxyHeader(V4, V4));
  const secure = connectTls({ socket: raw, rejectUnauthorized: false });
  secure.on("error", () => {});
  await once(secure, "secureConnect");
  secure.write("inside");
  await once(secure, "data");
  assert.deepEqual(got, [{ remote: "203.0.113.7:4711", text: "inside" }]);
  secure.destroy();
});
