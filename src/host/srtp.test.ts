import assert from "node:assert/strict";
import { test } from "node:test";
import * as werift from "werift";
import { derive, SrtpContext, type SrtpProfile } from "./srtp.ts";

const hex = (text: string): Buffer => Buffer.from(text.replaceAll(" ", ""), "hex");
const key = hex("E1F97A0D3E018BE0D64FA32C06DE4139");
const salt = hex("0EC675AD498AFEEBB6960B3AABE6");
const profiles: readonly SrtpProfile[] = ["aes128-cm-sha1-80", "aead-aes-128-gcm"];
const saltOf = (profile: SrtpProfile): Buffer => (profile === "aead-aes-128-gcm" ? salt.subarray(0, 12) : salt);

function rtp(sequence: number, ssrc = 7, payload = "payload"): Buffer {
  // With an extension of one word.
  const head = hex("90600000 00000001 00000000 bede0001 10aa0000");
  head.writeUInt16BE(sequence & 0xffff, 2);
  head.writeUInt32BE(ssrc, 8);
  return Buffer.concat([head, Buffer.from(payload)]);
}

const rtcp = hex("80c90001 00000007 0102030405060708");

test("keys are derived as in RFC 3711 B.3", () => {
  assert.equal(derive(key, salt, 0, 16).toString("hex").toUpperCase(), "C61E7A93744F39EE10734AFE3FF7A087");
  assert.equal(derive(key, salt, 2, 14).toString("hex").toUpperCase(), "30CBBC08863D8C85D49DB34A9AE1");
  assert.equal(derive(key, salt, 1, 20).toString("hex").toUpperCase(), "CEBE321F6FF7716B6FD4AB49AF256A156D38BAA4");
});

for (const profile of profiles) {
  test(`${profile}: what one seals the other opens, once, and nobody else does`, () => {
    const [from, to] = [new SrtpContext(profile, key, saltOf(profile)), new SrtpContext(profile, key, saltOf(profile))];
    const packet = rtp(1);
    const sealed = from.sealRtp(packet, 0, packet.length);
    assert.notDeepEqual(sealed.subarray(20, 27), packet.subarray(20));
    assert.equal(sealed.length, packet.length + to.tagBytes);
    for (let i = 0; i < sealed.length; i++) {
      const damaged = Buffer.from(sealed);
      damaged[i]! ^= 1;
      assert.equal(to.openRtp(damaged), undefined, `byte ${i}`);
    }
    for (let length = 0; length < sealed.length; length++) assert.equal(to.openRtp(sealed.subarray(0, length)), undefined);
    assert.deepEqual(to.openRtp(sealed), packet);
    assert.equal(to.openRtp(sealed), undefined, "a replay");
    const report = from.sealRtcp(rtcp, 0, rtcp.length);
    for (let i = 0; i < report.length; i++) {
      const damaged = Buffer.from(report);
      damaged[i]! ^= 1;
      assert.equal(to.openRtcp(damaged), undefined, `byte ${i}`);
    }
    assert.deepEqual(to.openRtcp(report), rtcp);
    assert.equal(to.openRtcp(report), undefined, "a replay");
  });

  test(`${profile}: a thousand packets lost around a wrap, and packets that come late or again`, () => {
    const [from, to] = [new SrtpContext(profile, key, saltOf(profile)), new SrtpContext(profile, key, saltOf(profile))];
    const late: Buffer[] = [];
    for (let sequence = 64_000; sequence < 200_000; sequence += 7) {
      const sealed = from.sealRtp(rtp(sequence), 0, rtp(sequence).length);
      if (sequence > 65_000 && sequence < 66_500) continue;
      if (sequence % 70 === 0) late.push(sealed);
      else assert.deepEqual(to.openRtp(sealed), rtp(sequence), `${sequence}`);
      if (late.length > 3) assert.ok(to.openRtp(late.shift()!), `${sequence}: a late one`);
    }
    // The same packet sent again, as without RTX, is sealed under its own index.
    const again = rtp(199_990);
    const [first, second] = [from.sealRtp(again, 0, again.length), from.sealRtp(again, 0, again.length)];
    assert.deepEqual(first, second);
  });

  test(`${profile}: the same bytes as werift's`, () => {
    const keys = { localMasterKey: key, localMasterSalt: saltOf(profile), remoteMasterKey: key, remoteMasterSalt: saltOf(profile) };
    const config = { keys, profile: profile === "aead-aes-128-gcm" ? (7 as const) : (1 as const) };
    const [theirs, theirRtcp] = [new werift.SrtpSession(config), new werift.SrtcpSession(config)];
    const ours = new SrtpContext(profile, key, saltOf(profile));
    const opening = new SrtpContext(profile, key, saltOf(profile));
    for (const sequence of [65_534, 65_535, 0, 1]) {
      const packet = rtp(sequence);
      const sealed = ours.sealRtp(packet, 0, packet.length);
      assert.deepEqual(theirs.decrypt(Buffer.from(sealed)), packet);
    }
    assert.deepEqual(theirRtcp.decrypt(ours.sealRtcp(rtcp, 0, rtcp.length)), rtcp);
    assert.deepEqual(opening.openRtcp(theirRtcp.encrypt(rtcp)), rtcp);
  });
}
