import assert from "node:assert/strict";
import { createSocket, type RemoteInfo } from "node:dgram";
import { mkdtempSync } from "node:fs";
import { createServer as createHttpServer } from "node:http";
import { createServer as createHttpsServer } from "node:https";
import { createServer, type Server } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { ownCertificate } from "./certificate.ts";
import { type Probe, probe } from "./probe.ts";

const closing: (() => void)[] = [];
after(() => {
  for (const close of closing) close();
});

/** A server that answers each datagram as told. */
function serve(answer: (bytes: Buffer) => Uint8Array | undefined): Promise<number> {
  const socket = createSocket("udp4");
  closing.push(() => socket.close());
  socket.on("message", (bytes: Buffer, { address, port }: RemoteInfo) => {
    const text = answer(bytes);
    if (text !== undefined) socket.send(text, port, address);
  });
  return new Promise((done) => socket.bind(0, "127.0.0.1", () => done(socket.address().port)));
}

function listening(server: Server): Promise<number> {
  closing.push(() => server.close());
  return new Promise((done) => server.listen(0, "127.0.0.1", () => done((server.address() as { port: number }).port)));
}

const ask = (kind: Probe["kind"], port: number, timeout = 3000) =>
  probe({ kind, host: "127.0.0.1", port, payload: Uint8Array.of(7), path: "/ok", timeout });
const failure = async (...of: Parameters<typeof ask>) => (await ask(...of)).failure;

test("SIP: any response of the same Call-ID is an answer, and nothing else", async () => {
  const callId = (bytes: Buffer): string => /Call-ID: (\S+)/.exec(bytes.toString())![1]!;
  const alive = await serve((bytes) => Buffer.from(`SIP/2.0 404 Not Found\r\nCall-ID: ${callId(bytes)}\r\n\r\n`));
  assert.notEqual((await ask("sip", alive)).took, undefined);
  for (const wrong of [() => Buffer.from("SIP/2.0 200 OK\r\nCall-ID: other\r\n\r\n"), (bytes: Buffer) => bytes])
    assert.equal(await failure("sip", await serve(wrong), 150), "wrong");
});

test("STUN: a response of the same transaction is an answer, and nothing else", async () => {
  const respond = (change: (bytes: Buffer) => void) =>
    serve((bytes) => {
      const answer = Buffer.from(bytes);
      answer.writeUInt16BE(0x0101, 0);
      change(answer);
      return answer;
    });
  assert.notEqual((await ask("stun", await respond(() => {}))).took, undefined);
  assert.equal(await failure("stun", await respond((bytes) => bytes.writeUInt8(bytes[19]! ^ 1, 19)), 150), "wrong");
  assert.equal(await failure("stun", await respond((bytes) => bytes.writeUInt16BE(0x0001, 0)), 150), "wrong");
});

test("UDP: sent from a port that is allowed, past those that are taken; when all are there is no answer", async () => {
  const taken = createSocket("udp4");
  closing.push(() => taken.close());
  const first = await new Promise<number>((done) => taken.bind(0, "0.0.0.0", () => done(taken.address().port)));
  let came = 0;
  const server = createSocket("udp4");
  closing.push(() => server.close());
  server.on("message", (_, { port }) => {
    came = port;
    server.send("yes", port, "127.0.0.1");
  });
  const port = await new Promise<number>((done) => server.bind(0, "127.0.0.1", () => done(server.address().port)));
  const wanted = { kind: "udp", host: "127.0.0.1", port, payload: Uint8Array.of(7), timeout: 3000 } as const;
  assert.notEqual((await probe({ ...wanted, from: { first: 1024, last: 65_535 } })).took, undefined);
  assert.ok(came >= 1024);
  assert.equal((await probe({ ...wanted, from: { first, last: first } })).took, undefined);
});

test("UDP: the payload is sent, whatever comes back is an answer, silence and refusal are none", async () => {
  let got = "";
  const alive = await serve((bytes) => {
    got = bytes.toString("hex");
    return bytes;
  });
  assert.notEqual((await ask("udp", alive)).took, undefined);
  assert.equal(got, "07");
  assert.equal(await failure("udp", await serve(() => undefined), 150), "silent");
  // Nobody listens: told by ICMP, long before the time is up.
  assert.equal(await failure("udp", 1, 60_000), "refused");
});

test("TCP: an accepted connection is an answer, a refused one is none", async () => {
  const port = await listening(createServer((socket) => socket.destroy()));
  assert.notEqual((await ask("tcp", port)).took, undefined);
  assert.equal(await failure("tcp", 1), "refused");
});

test("DNS: a response of the same id is an answer, and nothing else", async () => {
  const respond = (flags: number, more: number) =>
    serve((bytes) => Uint8Array.of(bytes[0]! + more, bytes[1]!, flags, ...bytes.subarray(3)));
  assert.notEqual((await ask("dns", await respond(0x85, 0))).took, undefined);
  assert.equal(await failure("dns", await respond(0x05, 0), 150), "wrong");
  assert.equal(await failure("dns", await respond(0x85, 1), 150), "wrong");
});

test("HTTP: a status of 200 to 299 is an answer; another one, something else and nothing are told apart", async () => {
  const web = createHttpServer((request, response) => {
    response.writeHead(request.url === "/ok" ? 204 : 500).end();
  });
  assert.notEqual((await ask("http", await listening(web))).took, undefined);
  const failing = createHttpServer((_request, response) => void response.writeHead(503).end());
  assert.equal(await failure("http", await listening(failing)), "wrong");
  const other = createServer((socket) => void socket.end("SSH-2.0-x\r\n"));
  assert.equal(await failure("http", await listening(other)), "wrong");
  const mute = createServer((socket) => void closing.push(() => socket.destroy()));
  assert.equal(await failure("http", await listening(mute), 150), "silent");
  assert.equal(await failure("http", 1), "refused");
});

test("HTTPS: anybody's certificate will do", async () => {
  const { cert, key } = await ownCertificate(mkdtempSync(join(tmpdir(), "probe-")), ["example.org"], Date.now());
  const web = createHttpsServer({ cert, key }, (_request, response) => void response.end());
  const port = await listening(web);
  assert.notEqual((await ask("https", port)).took, undefined);
});
