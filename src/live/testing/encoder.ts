/** An encoder for tests: the demo's FLV file published over a TestConnection. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { AUDIO, FlvReader, firstTag, VIDEO } from "../../media/flv/tag.ts";
import type { PublisherEvent } from "../../media/rtmp/event.ts";
import { RtmpPublisher } from "../../media/rtmp/publisher.ts";
import type { TestConnection, TestLoop } from "./loop.ts";

export const demoFile = new Uint8Array(readFileSync(join(import.meta.dirname, "../../../assets/demo.flv")));

export class TestEncoder {
  readonly #loop: TestLoop;
  readonly connection: TestConnection;
  readonly #publisher: RtmpPublisher;
  readonly #reader = new FlvReader(demoFile, firstTag(demoFile));
  readonly events: PublisherEvent[] = [];
  /** Replaces the first bytes of video payloads, to pretend another codec. */
  videoHeader: number | undefined;

  constructor(loop: TestLoop, key: string) {
    this.#loop = loop;
    this.connection = loop.dial();
    this.#publisher = new RtmpPublisher({ random: new Uint8Array(1528), app: "live", key, tcUrl: "rtmp://origin/live" });
    this.#publisher.advance(loop.time);
    this.pump();
  }

  /** Sends tags stamped before `ms`, and moves time along with them. */
  play(ms: number): void {
    const start = this.#loop.time;
    const first = this.#position;
    while (this.#pending() && this.#reader.timestamp < ms) {
      const { type, timestamp } = this.#reader;
      this.#loop.pass(Math.max(0, start + timestamp - first - this.#loop.time));
      const payload = demoFile.slice(this.#reader.start, this.#reader.end);
      if (type === VIDEO && this.videoHeader !== undefined) payload[0] = this.videoHeader;
      if (type === VIDEO || type === AUDIO) this.#publisher.send(type, timestamp, payload);
      this.#taken = true;
      this.#position = timestamp;
      this.pump();
    }
  }

  #taken = true;
  #position = 0;

  #pending(): boolean {
    if (!this.#taken) return true;
    this.#taken = !this.#reader.next();
    return !this.#taken;
  }

  /** Carries bytes both ways until there are none. */
  pump(): void {
    const buffer = new Uint8Array(65_536);
    for (;;) {
      const n = this.#publisher.transmit(buffer, 0, buffer.length);
      if (n > 0) this.connection.send(buffer.subarray(0, n));
      const answer = this.connection.received();
      this.#publisher.receive(this.#loop.time, answer, 0, answer.length);
      for (let event = this.#publisher.event(); event !== undefined; event = this.#publisher.event()) this.events.push(event);
      if (n === 0 && answer.length === 0) return;
    }
  }

  /** Ends the stream in order, then the connection. */
  stop(): void {
    this.#publisher.close(this.#loop.time);
    this.pump();
    this.connection.end();
  }
}
