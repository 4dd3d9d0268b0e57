/** Handshakes as ffmpeg 5.1 (libsrt 1.5.1) sends them: `srt://127.0.0.1:PORT?streamid=AAAAAAAA1&passphrase=…`, recorded on the loopback. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { Prng } from "../../base/prng.ts";
import { answerInduction, answerRefusal, Handshake, induction, reason, setCookie, shutdown } from "./handshake.ts";
import { parseStreamId } from "./stream-id.ts";

const bytes = (hex: string): Uint8Array => Uint8Array.from(Buffer.from(hex.replaceAll(" ", ""), "hex"));
const recorded = {
  induction: bytes(
    "8000000000000000000000cd00000000000000040000000252829e3c000005dc000020000000000101edd3da000000000100007f000000000000000000000000",
  ),
  conclusion: bytes(
    "80000000000000000000095b00000000000000050000000752829e3c000005dc00002000ffffffff01edd3da123456780100007f0000000000000000000000000001000300010501000000bf00780000000500034141414141414141000000310003000e12202901000000000200020000000404331aa3a8362a02ed7af594e278dc21780eab378aacd2679f248cae37aa0ab74ab4647fbe439815e7",
  ),
};

test("an induction is answered with version 5, the magic and a cookie, to the caller's socket", () => {
  const handshake = new Handshake();
  assert.ok(handshake.read(recorded.induction, 0, recorded.induction.length));
  assert.deepEqual([handshake.kind, handshake.socket, handshake.cookie], ["induction", 0, 0]);
  const answer = recorded.induction.slice();
  answerInduction(answer, 0, 0xdeadbeef);
  const caller = handshake.from;
  assert.ok(handshake.read(answer, 0, answer.length));
  assert.deepEqual([handshake.kind, handshake.socket, handshake.cookie], ["induction", caller, 0xdeadbeef]);
  assert.equal(Buffer.from(answer).readUInt32BE(16), 5);
  assert.equal(Buffer.from(answer).readUInt32BE(20), 0x4a17);
  assert.deepEqual(
    induction(handshake),
    recorded.induction.map((byte, i) => ((i >= 8 && i < 12) || i >= 48 ? 0 : byte)),
    "ours is as theirs, but for the time",
  );
});

test("a conclusion shows its stream id and that it is encrypted, at any place of a buffer", () => {
  const { conclusion } = recorded;
  const handshake = new Handshake();
  const buffer = new Uint8Array(conclusion.length + 40);
  buffer.set(conclusion, 17);
  assert.ok(handshake.read(buffer, 17, 17 + conclusion.length));
  const { kind, streamId, encrypted, mtu } = handshake;
  assert.deepEqual({ kind, streamId, encrypted, mtu }, { kind: "conclusion", streamId: "AAAAAAAA1", encrypted: true, mtu: 1500 });
  setCookie(buffer, 17, 77);
  const end = answerRefusal(buffer, 17, reason.unauthorized);
  const caller = handshake.from;
  assert.ok(handshake.read(buffer, 17, end));
  assert.deepEqual([handshake.kind, handshake.reason, handshake.socket, handshake.cookie], ["refusal", 1401, caller, 77]);
});

test("what is cut, lies about its lengths or is something else is no handshake", () => {
  const { conclusion } = recorded;
  const handshake = new Handshake();
  for (let length = 0; length < conclusion.length; length++) {
    const cut = conclusion.slice(0, length);
    // Where an extension happens to end, the rest is a conclusion with less to say.
    if (handshake.read(cut, 0, length)) assert.ok(length >= 64 && (handshake.streamId === "" || handshake.streamId === "AAAAAAAA1"));
  }
  const seed = Number(process.env.SEED ?? 7);
  const prng = new Prng(seed);
  for (let n = 0; n < 20_000; n++) {
    const damaged = conclusion.slice(0, 1 + prng.below(conclusion.length));
    for (let i = 0; i < 4; i++) damaged[prng.below(damaged.length)] = prng.u32();
    if (handshake.read(damaged, 0, damaged.length)) assert.ok(handshake.streamId.length <= 512, `seed ${seed}`);
  }
  assert.ok(!handshake.read(shutdown(5), 0, 20));
});

test("stream ids: the key alone, or the access control syntax", () => {
  assert.deepEqual(parseStreamId("sk_eu-west-1_abc"), { key: "sk_eu-west-1_abc", publishes: true });
  assert.deepEqual(parseStreamId("#!::r=KEY,m=publish,u=me"), { key: "KEY", publishes: true });
  assert.deepEqual(parseStreamId("#!::r=KEY"), { key: "KEY", publishes: true });
  assert.deepEqual(parseStreamId("#!::r=KEY,priority=2"), { key: "KEY?priority=2", publishes: true });
  assert.deepEqual(parseStreamId("#!::m=request,r=KEY"), { key: "KEY", publishes: false });
  assert.deepEqual(parseStreamId("#!::"), { key: "", publishes: true });
});
