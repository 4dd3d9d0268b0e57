/** Who watches by WebRTC is asked about for as long as it does: by HTTP, without sockets. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { silentLog } from "../host/log.ts";
import { NodeLoop } from "../host/loop-node.ts";
import { clientAddresses } from "../host/trusted-proxies.ts";
import { liveConfig } from "../live/config.ts";
import { Origin } from "../live/origin.ts";
import type { PlaybackGate, PlaybackRefusal } from "../live/playback-gate.ts";
import { demoUnits } from "../live/testing/demo-units.ts";
import { demoFile } from "../live/testing/encoder.ts";
import { offer } from "../media/sdp/testing/offer.ts";
import { Peers } from "../webrtc/peers.ts";
import { SilentTransports } from "../webrtc/testing/silent-transports.ts";
import { whep } from "./whep.ts";

test("a viewer whose session is revoked is sent away, with its listeners; until then it is counted", async () => {
  const loop = new NodeLoop();
  const origin = new Origin(liveConfig.parse({ channels: { show: "show-key-0001" } }), loop, silentLog);
  const channel = origin.channels.get("show")!;
  channel.start(Date.now());
  channel.configure(demoUnits(demoFile).tracks);
  const before = channel.listeners.size;
  let refusal: PlaybackRefusal | undefined;
  const asked: string[] = [];
  const gate: PlaybackGate = {
    begin: () => ({ session: "word" }),
    lists: () => true,
    check: ({ name }, session, { agent }, pixels) => {
      asked.push(`${name} ${session} ${agent} ${pixels}`);
      return refusal;
    },
  };
  const transports = new SilentTransports();
  const peers = new Peers(loop, transports, { peersMax: 4 });
  const app = whep({ origin, peers, log: silentLog, gate, client: clientAddresses("proxies", ""), checkEvery: 5 });
  const headers = { "content-type": "application/sdp", "user-agent": "a browser" };
  const body = offer().replaceAll("a=sendonly", "a=recvonly");
  const created = await app.request("/whep/show", { method: "POST", headers, body });
  assert.equal(created.status, 201, await created.text());
  assert.equal(channel.listeners.size, before + 1);
  await until(() => asked.length > 2);
  assert.equal(new Set(asked).size, 1);
  assert.equal(asked[0], "show word a browser 0");
  refusal = { status: 403, reason: "the session was revoked" };
  await until(() => transports.closed === 1);
  assert.equal(channel.listeners.size, before);
  const session = created.headers.get("location")!;
  assert.equal((await app.request(session, { method: "DELETE" })).status, 404, "it is over");
  const count = asked.length;
  await new Promise((done) => setTimeout(done, 30));
  assert.equal(asked.length, count, "nobody is asked about any more");
  origin.close();
  loop.stop();
});

async function until(done: () => boolean): Promise<void> {
  for (let i = 0; i < 500 && !done(); i++) await new Promise((again) => setTimeout(again, 10));
  assert.ok(done(), "within five seconds");
}
