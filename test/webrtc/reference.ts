/**
 * The reference end of a WebRTC test: libwebrtc itself (@roamhq/wrtc).
 *
 *   node test/webrtc/reference.ts serve PORT     POST /receive: offer → answer, what comes is decoded and dropped; GET /stats
 *   node test/webrtc/reference.ts view URL       offers to receive video to URL; prints one JSON line of statistics a second
 */
import { createServer } from "node:http";
import wrtc from "@roamhq/wrtc";

const { RTCPeerConnection } = wrtc;
type Connection = InstanceType<typeof RTCPeerConnection>;
const cors = { "access-control-allow-origin": "*", "access-control-allow-headers": "*" };
const [role, where = ""] = process.argv.slice(2);

async function gathered(connection: Connection): Promise<string> {
  while (connection.iceGatheringState !== "complete") await new Promise((done) => setTimeout(done, 10));
  return connection.localDescription!.sdp;
}

async function inbound(connection: Connection | undefined): Promise<unknown> {
  const found: Record<string, unknown> = {};
  for (const stats of ((await connection?.getStats()) ?? new Map()).values() as Iterable<Record<string, unknown>>) {
    if (stats.type === "inbound-rtp")
      for (const name of ["bytesReceived", "packetsLost", "framesDecoded", "keyFramesDecoded", "nackCount", "pliCount"])
        found[name] = stats[name];
    if (stats.type === "candidate-pair" && stats.nominated === true) found.roundTripMs = Number(stats.currentRoundTripTime) * 1000;
  }
  return found;
}

if (role === "serve") {
  let connection: Connection | undefined;
  createServer((request, response) => {
    const respond = async (): Promise<string> => {
      if (request.method === "OPTIONS") return "";
      if (request.url === "/stats") return JSON.stringify(await inbound(connection));
      let offer = "";
      for await (const chunk of request.setEncoding("utf8")) offer += chunk;
      connection?.close();
      connection = new RTCPeerConnection();
      await connection.setRemoteDescription({ type: "offer", sdp: offer });
      await connection.setLocalDescription(await connection.createAnswer());
      return gathered(connection);
    };
    respond().then(
      (text) => response.writeHead(201, cors).end(text),
      (error: Error) => response.writeHead(500).end(error.message),
    );
  }).listen(Number(where), () => console.log("reference listening"));
} else {
  const connection = new RTCPeerConnection();
  connection.addTransceiver("video", { direction: "recvonly" });
  await connection.setLocalDescription(await connection.createOffer());
  const response = await fetch(where, { method: "POST", body: await gathered(connection) });
  await connection.setRemoteDescription({ type: "answer", sdp: await response.text() });
  console.log("reference views");
  setInterval(async () => console.log(JSON.stringify(await inbound(connection))), 1000);
}
