import assert from "node:assert/strict";
import { test } from "node:test";
import { agree, formatAnswer } from "./answer.ts";
import { attribute, attributes, type MediaSection, parseSessionDescription } from "./session-description.ts";
import { offeredEncodings } from "./simulcast.ts";
import { offer } from "./testing/offer.ts";

const section = (...lines: readonly string[]): MediaSection =>
  parseSessionDescription(["v=0", "m=video 9 UDP/TLS/RTP/SAVPF 96", ...lines.map((line) => `a=${line}`), ""].join("\r\n"))!.media[0]!;

/** As Chromium 156 adds it for three `sendEncodings`. */
const three = [
  "a=extmap:10 urn:ietf:params:rtp-hdrext:sdes:rtp-stream-id",
  "a=extmap:11 urn:ietf:params:rtp-hdrext:sdes:repaired-rtp-stream-id",
  "a=rid:h send",
  "a=rid:m send",
  "a=rid:l send",
  "a=simulcast:send h;m;l",
];
const simulcastOffer = (lines: readonly string[]): string => offer().replace(/a=ssrc-group[\s\S]*$/, `${lines.join("\r\n")}\r\n`);

test("encodings of an offer: alternatives, paused ones, what is received, and names that nobody described", () => {
  const rids = ["rid:1 send", "rid:2 send pt=96", "rid:3 send max-width=320;max-fps=15", "rid:4 recv"];
  assert.deepEqual(offeredEncodings(section(...rids, "simulcast:send 1;2;3"), 4), ["1", "2", "3"]);
  assert.deepEqual(offeredEncodings(section(...rids, "simulcast:send 1,2;~3 recv 4"), 4), ["1", "3"]);
  assert.deepEqual(offeredEncodings(section(...rids, "simulcast:recv 4 send 3;2"), 4), ["3", "2"]);
  assert.deepEqual(offeredEncodings(section(...rids, "simulcast:send 1;2;3"), 2), ["1", "2"], "no more than wanted");
  for (const none of ["simulcast:send 1", "simulcast:send 1;9", "simulcast:recv 1;2", "simulcast:send 1;1", "simulcast:", "mid:0"])
    assert.deepEqual(offeredEncodings(section(...rids, none), 4), [], none);
  assert.deepEqual(offeredEncodings(section("rid:a/b send", "rid:c send", "simulcast:send a/b;c"), 4), [], "no name of RFC 8851");
});

test("an offer of three encodings is answered with as many as are wanted, and with the extensions that tell them apart", () => {
  const description = parseSessionDescription(simulcastOffer(three))!;
  const transport = { usernameFragment: "abcd", password: "0", lite: true, fingerprints: [], setup: "passive", candidates: [] };
  const answered = (encodingsMax?: number): MediaSection => {
    const agreed = agree(description, { encodings: { video: ["H264"] }, ...(encodingsMax === undefined ? {} : { encodingsMax }) });
    const text = formatAnswer(description, agreed, { origin: { id: "1", version: 1 }, transport });
    return parseSessionDescription(text)!.media[1]!;
  };
  const all = answered(3);
  assert.deepEqual([attributes(all, "rid"), attribute(all, "simulcast")], [["h recv", "m recv", "l recv"], "recv h;m;l"]);
  assert.deepEqual(
    attributes(all, "extmap").filter((value) => value.includes("stream-id")),
    ["10 urn:ietf:params:rtp-hdrext:sdes:rtp-stream-id", "11 urn:ietf:params:rtp-hdrext:sdes:repaired-rtp-stream-id"],
  );
  assert.equal(attribute(answered(2), "simulcast"), "recv h;m");
  for (const one of [answered(), answered(1)]) assert.deepEqual([attributes(one, "rid"), attribute(one, "simulcast")], [[], undefined]);
});

test("without an extension to tell them apart one encoding is taken", () => {
  const description = parseSessionDescription(simulcastOffer(three.slice(2)))!;
  assert.equal(agree(description, { encodings: { video: ["H264"] }, encodingsMax: 3 })[1]!.simulcast, undefined);
});
