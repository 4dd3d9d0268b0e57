/**
 * libwebrtc (@roamhq/wrtc) publishes to our endpoint over loopback, and what is sent back is looked at: it must be ours, and libwebrtc must believe it.
 * A process of its own, as the native module does not always let one end. Prints one JSON line.
 */
import wrtc from "@roamhq/wrtc";
import * as werift from "werift";
import { NodeLoop } from "../../src/host/loop-node.ts";
import type { PeerTransports } from "../../src/host/peer-transport.ts";
import { weriftTransports } from "../../src/host/peer-transport-werift.ts";
import { Peers } from "../../src/webrtc/peers.ts";
import { reencoded } from "./reencode.ts";

/** It starts from 300 kbit/s and would stay there without feedback that it can read. */
const enough = 600;
const seconds = Number(process.argv[2] ?? 30);
/** Calls into those parts of werift that must not run. */
const calls: Record<string, number> = {};

function spy(name: string, on: object, method: string): void {
  const original = (on as Record<string, (...given: unknown[]) => unknown>)[method];
  if (typeof original !== "function") throw new Error(`werift has no ${name}.${method} any more`);
  calls[`${name}.${method}`] = 0;
  (on as Record<string, unknown>)[method] = function (this: unknown, ...given: unknown[]) {
    calls[`${name}.${method}`]!++;
    return original.apply(this, given);
  };
}

spy("TransportWideCC", werift.TransportWideCC.prototype, "serialize");
spy("TransportWideCC", werift.TransportWideCC, "deSerialize");
spy("GenericNack", werift.GenericNack.prototype, "serialize");
spy("RtcpPacketConverter", werift.RtcpPacketConverter, "deSerialize");
spy("RtcpRrPacket", werift.RtcpRrPacket.prototype, "serialize");
spy("RtpPacket", werift.RtpPacket, "deSerialize");
spy("RTCDtlsTransport", werift.RTCDtlsTransport.prototype, "sendRtp");
spy("RTCDtlsTransport", werift.RTCDtlsTransport.prototype, "sendRtcp");

const sent: Uint8Array[] = [];
const below = weriftTransports({ hosts: ["127.0.0.1"] });
const transports: PeerTransports = {
  async open(handler) {
    const transport = await below.open(handler);
    const send = transport.sendRtcp.bind(transport);
    transport.sendRtcp = (bytes, start, end) => {
      sent.push(bytes.slice(start, end));
      send(bytes, start, end);
    };
    return transport;
  },
};

const connection = new wrtc.RTCPeerConnection();
const camera = new wrtc.nonstandard.RTCVideoSource();
connection.addTrack(camera.createTrack());
await connection.setLocalDescription(await connection.createOffer());
while (connection.iceGatheringState !== "complete") await new Promise((done) => setTimeout(done, 5));
const peers = new Peers(new NodeLoop(), transports);
const peer = await peers.answer(connection.localDescription!.sdp, { policy: { encodings: { video: ["VP8"] } }, seed: 1 });
await connection.setRemoteDescription({ type: "answer", sdp: peer.answer });
const frame = { width: 320, height: 240, data: new Uint8Array((320 * 240 * 3) / 2) };
const filming = setInterval(() => {
  for (let i = 0; i < frame.data.length; i++) frame.data[i] = Math.random() * 256;
  camera.onFrame(frame);
}, 33);
let availableKbps = 0;
for (const until = Date.now() + seconds * 1000; Date.now() < until && availableKbps <= enough; ) {
  await new Promise((done) => setTimeout(done, 100));
  for (const stats of (await connection.getStats()).values()) {
    if (stats.type === "candidate-pair" && stats.nominated) availableKbps = Math.round((stats.availableOutgoingBitrate ?? 0) / 1000);
  }
}
clearInterval(filming);
const { stats } = peer.session.receiver.streams[0] ?? {};
console.log(
  JSON.stringify({
    calls,
    availableKbps,
    received: stats,
    sent: sent.length,
    reports: peer.session.receiver.reporter.reports,
    ...reencoded(sent),
  }),
);
process.exit(0);
