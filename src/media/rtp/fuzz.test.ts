/**
 * Damaged and hostile RTCP and RTP: no throw, no read beyond the datagram, bounded work, everything counted.
 * SEED=… repeats a run, LONGHAUL_FUZZ=5 makes it five times as long.
 */
import assert from "node:assert/strict";
import { test } from "node:test";
import { Prng } from "../../base/prng.ts";
import { HeaderExtensions, HeaderExtensionWriter, ONE_BYTE, TWO_BYTE } from "./header-extension.ts";
import { padRtp, RtpPacket } from "./rtp-packet.ts";
import { Decoders } from "./testing/decoders.ts";
import { putTraffic } from "./testing/traffic.ts";

const seed = Number(process.env.SEED ?? 20_260_126);
const times = Number(process.env.LONGHAUL_FUZZ ?? 1);
const inputs = 1_000_000 * times;
const rtpInputs = 100_000 * times;
/** New traffic is written after so many mutations of the last: mutating is cheap, and they add up. */
const MUTATIONS = 4;

/** Changes, cuts or lengthens the datagram bytes[0…length); answers its new length. */
function mutate(prng: Prng, bytes: Uint8Array, length: number): number {
  for (let n = prng.below(3); n >= 0; n--) {
    const at = prng.below(prng.chance(0.5) ? Math.min(length, 24) : length);
    if (prng.chance(0.5)) bytes[at]! ^= 1 << prng.below(8);
    else bytes[at] = prng.chance(0.3) ? 255 : prng.u32();
  }
  if (prng.chance(0.1)) return prng.below(length) + 1;
  if (prng.chance(0.05)) return length + prng.below(9);
  return length;
}

test(`${inputs} mutated RTCP datagrams, seed ${seed}`, (t) => {
  t.diagnostic(`rtcp fuzz: SEED=${seed}`);
  const prng = new Prng(seed);
  const room = new Uint8Array(4096);
  const view = new DataView(room.buffer);
  const decoders = new Decoders();
  let length = 0;
  let toldMax = 0;
  for (let i = 0; i < inputs; i++) {
    if (i % MUTATIONS === 0) length = putTraffic(prng, view);
    const end = mutate(prng, room, length);
    const told = decoders.told;
    decoders.receive(room, view, 0, end);
    toldMax = Math.max(toldMax, decoders.told - told);
  }
  const { stats } = decoders.rtcp;
  assert.equal(stats.datagrams, inputs);
  // The mutations must reach both sides: much that is understood, much that is damaged inside and out.
  assert.ok(decoders.understood > inputs && decoders.told > inputs, `${decoders.understood} understood, ${decoders.told} told`);
  assert.ok(stats.damagedHeaders > inputs / 10 && stats.damagedBodies > inputs / 20, JSON.stringify(stats));
  assert.ok(toldMax < 20 * 65_536, `a datagram told ${toldMax} things`);
});

test("a datagram cannot be read beyond its end: what lies behind it changes nothing", () => {
  const prng = new Prng(seed ^ 1);
  const bytes = new Uint8Array(4096);
  for (let i = 0; i < 5000; i++) {
    const length = mutate(prng, bytes, putTraffic(prng, new DataView(bytes.buffer)));
    // Exactly as long as the datagram: reading beyond would throw a RangeError.
    const exact = bytes.slice(0, length);
    const alone = new Decoders();
    alone.receive(exact, new DataView(exact.buffer), 0, length);
    const among = new Decoders();
    bytes.fill(0xff, length);
    among.receive(bytes, new DataView(bytes.buffer), 0, length);
    assert.deepEqual(among.rtcp.stats, alone.rtcp.stats);
    assert.deepEqual([among.understood, among.told], [alone.understood, alone.told]);
  }
});

test(`${rtpInputs} mutated RTP packets, seed ${seed}`, () => {
  const prng = new Prng(seed);
  const bytes = new Uint8Array(256);
  const view = new DataView(bytes.buffer);
  const packet = new RtpPacket();
  const extensions = new HeaderExtensions();
  const writer = new HeaderExtensionWriter();
  let read = 0;
  let elements = 0;
  for (let i = 0; i < rtpInputs; i++) {
    packet.csrcCount = prng.below(3);
    packet.payloadType = prng.below(128);
    packet.write(view, 0);
    writer.begin(view, 0, 200, prng.chance(0.5) ? ONE_BYTE : TWO_BYTE);
    for (let n = prng.below(4); n > 0; n--) writer.add(1 + prng.below(14), 1 + prng.below(8));
    const payloadEnd = writer.finish() + prng.below(20);
    const end = mutate(prng, bytes, prng.chance(0.3) ? padRtp(view, 0, payloadEnd, 1 + prng.below(20)) : payloadEnd);
    if (!packet.read(view, 0, end)) continue;
    read++;
    assert.ok(packet.extensionStart >= 12 && packet.extensionStart <= packet.extensionEnd && packet.extensionEnd <= packet.payloadStart);
    assert.ok(packet.payloadStart <= packet.payloadEnd && packet.payloadEnd + packet.paddingBytes === end);
    extensions.open(packet);
    for (let at = packet.extensionStart; extensions.next(bytes); at = extensions.end) {
      assert.ok(extensions.id > 0 && extensions.start > at && extensions.end <= packet.extensionEnd);
      elements++;
    }
  }
  const { damagedHeaders, damagedPadding, damagedVersions } = packet.stats;
  assert.equal(damagedHeaders + damagedPadding + damagedVersions, rtpInputs - read);
  assert.ok(
    read > rtpInputs / 2 && elements > rtpInputs / 2 && Math.min(damagedHeaders, damagedPadding, damagedVersions) > rtpInputs / 200,
  );
  assert.ok(extensions.damaged > rtpInputs / 100);
});
