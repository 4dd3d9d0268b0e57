/** An offer as Chromium 156 writes it for a publisher, shortened to what a test can look at. */

const section = [
  "a=ice-ufrag:CPeM",
  "a=ice-pwd:Y2tpb4vYzYmGHnEwpBXrVxoh",
  "a=ice-options:trickle",
  `a=fingerprint:sha-256 ${Array(32).fill("3F").join(":")}`,
];
const extensions = [
  "a=extmap:2 http://www.webrtc.org/experiments/rtp-hdrext/abs-send-time",
  "a=extmap:4 http://www.ietf.org/id/draft-holmer-rmcat-transport-wide-cc-extensions-01",
  "a=extmap:9 urn:ietf:params:rtp-hdrext:sdes:mid",
];
const feedback = (type: number): string[] =>
  ["goog-remb", "transport-cc", "ccm fir", "nack", "nack pli"].map((value) => `a=rtcp-fb:${type} ${value}`);

export function offer(): string {
  const lines = [
    ...[
      "v=0",
      "o=- 4962303333179871722 2 IN IP4 127.0.0.1",
      "s=-",
      "t=0 0",
      "a=group:BUNDLE 0 1",
      "a=extmap-allow-mixed",
      "a=msid-semantic: WMS x",
    ],
    ...["m=audio 9 UDP/TLS/RTP/SAVPF 111 63", "c=IN IP4 0.0.0.0", "a=rtcp:9 IN IP4 0.0.0.0", ...section, "a=setup:actpass", "a=mid:0"],
    ...["a=candidate:1467250027 1 udp 2122260223 192.0.2.7 46243 typ host generation 0", ...extensions, "a=sendonly", "a=rtcp-mux"],
    ...["a=rtpmap:111 opus/48000/2", "a=rtcp-fb:111 transport-cc", "a=fmtp:111 minptime=10;useinbandfec=1", "a=rtpmap:63 red/48000/2"],
    ...["m=video 9 UDP/TLS/RTP/SAVPF 96 97 102 104 103 39", "c=IN IP4 0.0.0.0", ...section, "a=setup:actpass", "a=mid:1", ...extensions],
    ...[
      "a=sendonly",
      "a=msid:x y",
      "a=rtcp-mux",
      "a=rtcp-rsize",
      "a=rtpmap:96 VP8/90000",
      ...feedback(96),
      "a=rtpmap:97 rtx/90000",
      "a=fmtp:97 apt=96",
    ],
    ...["a=rtpmap:102 H264/90000", ...feedback(102), "a=fmtp:102 level-asymmetry-allowed=1;packetization-mode=0;profile-level-id=42001f"],
    ...["a=rtpmap:104 H264/90000", ...feedback(104), "a=fmtp:104 level-asymmetry-allowed=1;packetization-mode=1;profile-level-id=42e01f"],
    ...["a=rtpmap:103 rtx/90000", "a=fmtp:103 apt=104", "a=rtpmap:39 AV1/90000"],
    ...["a=ssrc-group:FID 1001 1002", "a=ssrc:1001 cname:c", "a=ssrc:1001 msid:x y", "a=ssrc:1002 cname:c"],
  ];
  return `${lines.join("\r\n")}\r\n`;
}
