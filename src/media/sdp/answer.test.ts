import assert from "node:assert/strict";
import { test } from "node:test";
import { agree, formatAnswer } from "./answer.ts";
import { parameter, payloadFormats } from "./payload-format.ts";
import { attribute, parseSessionDescription } from "./session-description.ts";
import { offer } from "./testing/offer.ts";
import { transportDescription } from "./transport-description.ts";

const transport = {
  usernameFragment: "abcd",
  password: "0123456789012345678901",
  lite: true,
  fingerprints: [{ algorithm: "sha-256", value: "AA:BB" }],
  setup: "passive",
  candidates: ["1 1 udp 2113937151 192.0.2.1 5000 typ host"],
};
const origin = { id: "77", version: 1 };

test("reads what a browser's offer says", () => {
  const description = parseSessionDescription(offer())!;
  assert.deepEqual(
    description.media.map(({ kind, port, formats }) => [kind, port, formats.length]),
    [
      ["audio", 9, 2],
      ["video", 9, 6],
    ],
  );
  const formats = payloadFormats(description.media[1]!);
  assert.deepEqual(
    formats.map(({ payloadType, encoding }) => `${payloadType} ${encoding}`),
    ["96 VP8", "97 rtx", "102 H264", "104 H264", "103 rtx", "39 AV1"],
  );
  assert.equal(parameter(formats[3]!, "profile-level-id"), "42e01f");
  assert.deepEqual(formats[0]!.feedback, ["goog-remb", "transport-cc", "ccm fir", "nack", "nack pli"]);
  const read = transportDescription(description)!;
  assert.deepEqual(
    [read.usernameFragment, read.setup, read.fingerprints[0]!.algorithm, read.candidates.length],
    ["CPeM", "actpass", "sha-256", 1],
  );
});

test("a publisher's offer is answered with one format a section, its retransmission, and our transport", () => {
  const description = parseSessionDescription(offer())!;
  const agreed = agree(description, { encodings: { video: ["H264", "VP8"], audio: ["opus"] } });
  const video = agreed[1]!;
  // Of the two H.264 formats only the second can carry fragments.
  assert.equal(video.format.payloadType, 104);
  assert.equal(video.rtxPayloadType, 103);
  assert.equal(video.congestionFeedback, "transport-cc");
  assert.deepEqual(video.streams, [{ ssrc: 1001, rtxSsrc: 1002 }]);
  assert.deepEqual([video.nack, video.pictureLoss, video.fullIntraRequest, video.reducedSize], [true, true, true, true]);
  const answer = parseSessionDescription(formatAnswer(description, agreed, { origin, transport }))!;
  assert.equal(attribute(answer, "group"), "BUNDLE 0 1");
  assert.equal(attribute(answer, "ice-lite"), "");
  const section = answer.media[1]!;
  assert.deepEqual([section.port, section.formats], [9, ["104", "103"]]);
  for (const [name, value] of [
    ["recvonly", ""],
    ["rtcp-mux", ""],
    ["setup", "passive"],
    ["ice-ufrag", "abcd"],
    ["candidate", "1 1 udp 2113937151 192.0.2.1 5000 typ host"],
    ["extmap", "4 http://www.ietf.org/id/draft-holmer-rmcat-transport-wide-cc-extensions-01"],
  ] as const) {
    assert.equal(attribute(section, name), value, name);
  }
  assert.deepEqual(payloadFormats(section)[0]!.feedback, ["transport-cc", "ccm fir", "nack", "nack pli"]);
  assert.deepEqual(transportDescription(answer)?.fingerprints, transport.fingerprints);
});

test("what is not taken is refused section by section", () => {
  const description = parseSessionDescription(offer())!;
  const agreed = agree(description, { encodings: { video: ["VP9"], audio: ["opus"] } });
  assert.equal(agreed[1], undefined);
  const answer = parseSessionDescription(formatAnswer(description, agreed, { origin, transport }))!;
  assert.deepEqual([answer.media[1]!.port, attribute(answer.media[1]!, "mid"), attribute(answer, "group")], [0, "1", "BUNDLE 0"]);
});

test("a section outside the bundle is refused", () => {
  const description = parseSessionDescription(offer().replace("a=group:BUNDLE 0 1", "a=group:BUNDLE 0"))!;
  const agreed = agree(description, { encodings: { video: ["VP8"], audio: ["opus"] } });
  assert.deepEqual(
    agreed.map((each) => each?.mid),
    ["0", undefined],
  );
});

test("feedback is the best both know; transport-cc needs its extension, REMB can do without", () => {
  const of = (text: string): string | undefined =>
    agree(parseSessionDescription(text)!, { encodings: { video: ["VP8"] } })[1]?.congestionFeedback;
  assert.equal(of(offer()), "transport-cc");
  assert.equal(of(offer().replace("a=rtcp-fb:96 nack\r\n", "a=rtcp-fb:* ack ccfb\r\n")), "ccfb");
  assert.equal(of(offer().replaceAll("holmer", "nobody")), "goog-remb");
  assert.equal(of(offer().replaceAll("holmer", "nobody").replaceAll("abs-send-time", "other")), "goog-remb");
  assert.equal(of(offer().replaceAll("holmer", "nobody").replaceAll("goog-remb", "other")), "none");
});

test("a viewer's offer is answered with our stream", () => {
  const description = parseSessionDescription(offer().replaceAll("a=sendonly", "a=recvonly"))!;
  const agreed = agree(description, { encodings: { video: ["VP8"], audio: ["opus"] } });
  const text = formatAnswer(description, agreed, {
    origin,
    transport,
    stream: ({ kind }) => (kind === "video" ? { ssrc: 5, rtxSsrc: 6, cname: "me" } : undefined),
  });
  const [audio, video] = parseSessionDescription(text)!.media;
  assert.notEqual(attribute(audio!, "inactive"), undefined);
  assert.notEqual(attribute(video!, "sendonly"), undefined);
  assert.equal(attribute(video!, "ssrc-group"), "FID 5 6");
});

test("what is no description, has no credentials, or is too much is refused", () => {
  for (const bad of [
    "",
    "hello",
    "v=1\r\n",
    "v=0\r\nm=video\r\n",
    `v=0\r\n${"a=x\r\n".repeat(3000)}`,
    `v=0\r\n${"m=video 9 X 1\r\n".repeat(40)}`,
  ]) {
    assert.equal(parseSessionDescription(bad), undefined, bad.slice(0, 20));
  }
  assert.equal(transportDescription(parseSessionDescription(offer().replaceAll("ice-pwd", "no-pwd"))!), undefined);
  assert.equal(transportDescription(parseSessionDescription(offer().replaceAll("fingerprint", "finger"))!), undefined);
});
