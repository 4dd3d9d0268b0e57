/**
 * Encoders of the live bench, all in this process: each publishes the same FLV file at its pace by RTMP, one begun a moment after the other.
 *
 *   node bench/live/publishers.ts FILE.flv URL COUNT SECONDS       URL: rtmp://host:port/app/KEY, {n} in it stands for the number
 *
 * With CYCLES after SECONDS each begins anew so many times, SECONDS on the air each time. Prints what was sent as JSON.
 */
import { readFileSync } from "node:fs";
import { connect, type Socket } from "node:net";
import { FlvLoop } from "../../src/media/flv/loop.ts";
import { RtmpPublisher } from "../../src/media/rtmp/publisher.ts";

const [path, url, count, seconds, cycles = "1"] = process.argv.slice(2);
if (path === undefined || url === undefined) throw new Error("publishers.ts FILE.flv URL COUNT SECONDS [CYCLES]");
const file = new Uint8Array(readFileSync(path));
const [, host, port, app, key] = /^rtmp:\/\/([^:/]+):(\d+)\/([^/]+)\/(.+)$/.exec(url)!;
const TICK_MS = 10;
const APART_MS = 37;

class Encoder {
  readonly #clip = new FlvLoop(file);
  readonly #rtmp: RtmpPublisher;
  readonly #socket: Socket;
  readonly #buffer = new Uint8Array(65_536);
  bytes = 0;
  refused = "";

  constructor(n: number) {
    const names = { app: app!, key: key!.replace("{n}", String(n)), tcUrl: `rtmp://${host}:${port}/${app}` };
    this.#rtmp = new RtmpPublisher({ random: new Uint8Array(1528).fill(n), ...names });
    this.#socket = connect(Number(port), host!);
    this.#socket.setNoDelay(true);
    this.#socket.on("error", (error) => {
      this.refused ||= error.message;
    });
    this.#socket.on("connect", () => this.tick());
    this.#socket.on("data", (data: Buffer) => {
      this.#rtmp.receive(performance.now(), data, 0, data.length);
      for (let event = this.#rtmp.event(); event !== undefined; event = this.#rtmp.event())
        if (event.kind !== "accepted") this.refused ||= JSON.stringify(event);
      this.#drain();
    });
    this.#rtmp.advance(performance.now());
  }

  get publishing(): boolean {
    return this.#rtmp.state === "publishing";
  }

  tick(): void {
    if (this.publishing) {
      const now = performance.now();
      for (let tag = this.#clip.next(now); tag !== undefined; tag = this.#clip.next(now))
        this.#rtmp.send(tag.type, tag.timestamp, tag.payload);
    }
    this.#drain();
  }

  stop(): void {
    this.#rtmp.close(performance.now());
    this.#drain();
    this.#socket.end();
  }

  #drain(): void {
    if (this.#socket.connecting) return;
    for (let n = this.#rtmp.transmit(this.#buffer, 0, this.#buffer.length); n > 0; ) {
      this.#socket.write(this.#buffer.slice(0, n));
      this.bytes += n;
      n = this.#rtmp.transmit(this.#buffer, 0, this.#buffer.length);
    }
  }
}

const pause = (ms: number): Promise<void> => new Promise((done) => setTimeout(done, ms));
let [bytes, published] = [0, 0];
const refused = new Set<string>();
for (let cycle = 0; cycle < Number(cycles); cycle++) {
  const encoders: Encoder[] = [];
  const timer = setInterval(() => {
    for (const encoder of encoders) encoder.tick();
  }, TICK_MS);
  for (let n = 0; n < Number(count); n++) {
    encoders.push(new Encoder(n));
    if (cycles === "1") await pause(APART_MS);
  }
  if (cycles === "1") console.log("all began");
  await pause(Number(seconds) * 1000);
  published += encoders.filter((encoder) => encoder.publishing).length;
  for (const encoder of encoders) {
    encoder.stop();
    bytes += encoder.bytes;
    if (encoder.refused !== "") refused.add(encoder.refused);
  }
  clearInterval(timer);
  await pause(100);
}
console.log(JSON.stringify({ published, bytes, refused: [...refused] }));
process.exit(0);
