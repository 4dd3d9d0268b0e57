import assert from "node:assert/strict";
import { createSocket, type RemoteInfo } from "node:dgram";
import { createServer } from "node:net";
import { after, test } from "node:test";
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

const ask = (kind: Probe["kind"], port: number, timeout = 3000) =>
  probe({ kind, host: "127.0.0.1", port, payload: Uint8Array.of(7), timeout });

test("SIP: any response of the same Call-ID is an answer, and nothing else", async () => {
  const callId = (bytes: Buffer): string => /Call-ID: (\S+)/.exec(bytes.toString())![1]!;
  const alive = await serve((bytes) => Buffer.from(`SIP/2.0 404 Not Found\r\nCall-ID: ${callId(bytes)}\r\n\r\n`));
  assert.notEqual(await ask("sip", alive), undefined);
  for (const wrong of [() => Buffer.from("SIP/2.0 200 OK\r\nCall-ID: other\r\n\r\n"), (bytes: Buffer) => bytes])
    assert.equal(await ask("sip", await serve(wrong), 150), undefined);
});

test("STUN: a response of the same transaction is an answer, and nothing else", async () => {
  const respond = (change: (bytes: Buffer) => void) =>
    serve((bytes) => {
      const answer = Buffer.from(bytes);
      answer.writeUInt16BE(0x0101, 0);
      change(answer);
      return answer;
    });
  assert.notEqual(await ask("stun", await respond(() => {})), undefined);
  assert.equal(await ask("stun", await respond((bytes) => bytes.writeUInt8(bytes[19]! ^ 1, 19)), 150), undefined);
  assert.equal(await ask("stun", await respond((bytes) => bytes.writeUInt16BE(0x0001, 0)), 150), undefined);
});

test("UDP: the payload is sent, whatever comes back is an answer, silence and refusal are none", async () => {
  let got = "";
  const alive = await serve((bytes) => {
    got = bytes.toString("hex");
    return bytes;
  });
  assert.notEqual(await ask("udp", alive), undefined);
  assert.equal(got, "07");
  assert.equal(await ask("udp", await serve(() => undefined), 150), undefined);
  // Nobody listens: told by ICMP, long before the time is up.
  assert.equal(await ask("udp", 1, 60_000), undefined);
});

test("TCP: an accepted connection is an answer, a refused one is none", async () => {
  const server = createServer((socket) => socket.destroy());
  closing.push(() => server.close());
  const port = await new Promise<number>((done) => server.listen(0, "127.0.0.1", () => done((server.address() as { port: number }).port)));
  assert.notEqual(await ask("tcp", port), undefined);
  assert.equal(await ask("tcp", 1), undefined);
});
