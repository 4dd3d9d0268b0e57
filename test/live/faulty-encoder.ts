/** An encoder over a real socket that can be made to misbehave: FLV files replayed at their pace by RTMP. */
import { connect, type Socket } from "node:net";
import { FlvLoop } from "../../src/media/flv/loop.ts";
import { RtmpPublisher } from "../../src/media/rtmp/publisher.ts";

const TICK_MS = 10;

export class FaultyEncoder {
  readonly #socket: Socket;
  readonly #rtmp: RtmpPublisher;
  readonly #timer: NodeJS.Timeout;
  readonly #buffer = new Uint8Array(65_536);
  #clip: FlvLoop;
  #silent = false;
  /** Added to time stamps; moves on with what is replayed after another. */
  #shift = 0;
  #last = 0;
  ended = false;
  /** Why the server turned it away. */
  refused = "";

  constructor(port: number, key: string, file: Uint8Array) {
    this.#clip = new FlvLoop(file);
    const limits = { outboxBytesMax: 1e7 };
    this.#rtmp = new RtmpPublisher({ random: new Uint8Array(1528), app: "app", key, tcUrl: `rtmp://127.0.0.1:${port}/app`, limits });
    this.#socket = connect(port, "127.0.0.1");
    this.#socket.setNoDelay(true);
    this.#socket.on("connect", () => this.#drain());
    this.#socket.on("error", () => {});
    this.#socket.on("close", () => {
      this.ended = true;
      clearInterval(this.#timer);
    });
    this.#socket.on("data", (data: Buffer) => {
      this.#rtmp.receive(performance.now(), data, 0, data.length);
      for (let event = this.#rtmp.event(); event !== undefined; event = this.#rtmp.event())
        if (event.kind === "refused") this.refused = event.description;
      this.#drain();
    });
    this.#rtmp.advance(performance.now());
    this.#timer = setInterval(() => this.#tick(), TICK_MS);
  }

  get publishing(): boolean {
    return this.#rtmp.state === "publishing";
  }

  /** Says nothing more, as where the network is gone; `false`: goes on where it is, with what should have been said meanwhile. */
  silence(on: boolean): void {
    this.#silent = on;
  }

  /** All stamps from now on are so much later, or earlier. */
  jump(ms: number): void {
    this.#shift += ms;
  }

  /** Another file from now on, with its own configurations. */
  replay(file: Uint8Array): void {
    this.#clip = new FlvLoop(file);
    this.#shift = this.#last + 33;
  }

  /** Tags of one's own making. */
  send(type: number, sinceNow: number, payload: Uint8Array): void {
    this.#rtmp.send(type, (this.#last + sinceNow) >>> 0, payload);
    this.#drain();
  }

  /** RST, as of a process or a machine that died. */
  kill(): void {
    clearInterval(this.#timer);
    this.#socket.resetAndDestroy();
  }

  stop(): void {
    clearInterval(this.#timer);
    this.#rtmp.close(performance.now());
    this.#drain();
    this.#socket.end();
  }

  #tick(): void {
    if (this.#silent || !this.publishing) return;
    const now = performance.now();
    for (let tag = this.#clip.next(now); tag !== undefined; tag = this.#clip.next(now)) {
      this.#last = tag.timestamp + this.#shift;
      this.#rtmp.send(tag.type, this.#last >>> 0, tag.payload);
    }
    this.#drain();
  }

  #drain(): void {
    if (this.#socket.connecting || this.#socket.destroyed || !this.#socket.writable) return;
    for (
      let n = this.#rtmp.transmit(this.#buffer, 0, this.#buffer.length);
      n > 0;
      n = this.#rtmp.transmit(this.#buffer, 0, this.#buffer.length)
    )
      this.#socket.write(this.#buffer.slice(0, n));
  }
}
