/** The origin on real sockets: what an encoder and a viewer on this machine see. */
import assert from "node:assert/strict";
import { connect } from "node:net";
import { test } from "node:test";
import { serveHttp } from "../host/http.ts";
import { silentLog } from "../host/log.ts";
import { NodeLoop } from "../host/loop-node.ts";
import { FlvReader, firstTag } from "../media/flv/tag.ts";
import { RtmpPublisher } from "../media/rtmp/publisher.ts";
import { liveConfig } from "./config.ts";
import { delivery } from "./delivery.ts";
import { Origin } from "./origin.ts";
import { demoFile } from "./testing/encoder.ts";

function world() {
  const loop = new NodeLoop();
  const origin = new Origin(liveConfig.parse({ channels: { demo: "demo-key-0001" } }), loop, silentLog);
  const { local } = origin.listen({ host: "127.0.0.1", port: 0 });
  assert.ok("port" in local);
  return {
    origin,
    port: local.port,
    close: () => {
      origin.close();
      loop.stop();
    },
  };
}

/** Publishes the whole demo as fast as the socket takes it; answers the last event, and ends when the server has ended. */
function publish(port: number, key: string): Promise<{ event: string; whole: () => Promise<void> }> {
  return new Promise((resolve) => {
    const publisher = new RtmpPublisher({
      random: new Uint8Array(1528),
      app: "live",
      key,
      tcUrl: "rtmp://localhost/live",
      limits: { outboxBytesMax: 1e7 },
    });
    const socket = connect(port, "127.0.0.1");
    const buffer = new Uint8Array(65_536);
    const ended = new Promise<void>((done) => socket.on("close", () => done()));
    const flush = (): void => {
      for (let n = publisher.transmit(buffer, 0, buffer.length); n > 0; n = publisher.transmit(buffer, 0, buffer.length))
        socket.write(buffer.slice(0, n));
    };
    socket.on("connect", flush);
    socket.on("error", () => {});
    socket.on("data", (bytes) => {
      publisher.receive(performance.now(), bytes as Buffer, 0, bytes.length);
      flush();
      const event = publisher.event();
      if (event === undefined) return;
      const whole = async (): Promise<void> => {
        socket.end();
        await ended;
      };
      if (event.kind === "accepted") {
        const reader = new FlvReader(demoFile, firstTag(demoFile));
        while (reader.next()) publisher.send(reader.type, reader.timestamp, demoFile.subarray(reader.start, reader.end));
        flush();
      }
      resolve({ event: event.kind === "refused" ? event.code : event.kind, whole });
    });
  });
}

test("published over TCP, fetched over HTTP", async () => {
  const { origin, port, close } = world();
  const http = await serveHttp(delivery(origin).fetch, { host: "127.0.0.1", port: 0 });
  const base = `http://127.0.0.1:${http.local.port}/live/demo`;
  const { event, whole } = await publish(port, "demo-key-0001");
  assert.equal(event, "accepted");
  const multivariant = await (await fetch(`${base}/index.m3u8`)).text();
  assert.match(multivariant, /RESOLUTION=640x360,FRAME-RATE=30.000\nmedia.m3u8\n/);
  await whole();
  const playlist = await (await fetch(`${base}/media.m3u8`)).text();
  const segments = [...playlist.matchAll(/^#EXTINF:([\d.]+),\n(.*)$/gm)].map(([, duration, uri]) => ({ duration: Number(duration), uri }));
  assert.ok(Math.abs(segments.reduce((sum, { duration }) => sum + duration, 0) - 4) < 0.01);
  let bytes = 0;
  for (const { uri } of segments) bytes += (await (await fetch(`${base}/${uri}`)).arrayBuffer()).byteLength;
  assert.ok(bytes > demoFile.length * 0.95 && bytes < demoFile.length * 1.02, `${bytes} of ${demoFile.length}`);
  await http.close();
  close();
});

test("a wrong key is refused in RTMP's words before the connection ends", async () => {
  const { origin, port, close } = world();
  const { event, whole } = await publish(port, "wrong-key-0001");
  assert.equal(event, "NetStream.Publish.Denied");
  await whole();
  assert.deepEqual([origin.ingest.connections, origin.ingest.refused], [0, { key: 1 }]);
  close();
});

test("bytes that are not RTMP end their connection and nothing else", async () => {
  const { origin, port, close } = world();
  const good = publish(port, "demo-key-0001");
  await new Promise<void>((resolve) => {
    const socket = connect(port, "127.0.0.1", () => socket.write("GET / HTTP/1.1\r\nHost: x\r\n\r\n".repeat(200)));
    socket.on("error", () => {});
    socket.resume();
    socket.on("end", () => socket.end());
    socket.on("close", () => resolve());
  });
  assert.equal((await good).event, "accepted");
  assert.equal(Object.values(origin.ingest.refused).length, 1);
  await (await good).whole();
  close();
});
