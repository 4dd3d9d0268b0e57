/** An origin without sockets for tests: one channel, a clock that stands until it is moved. */
import { segmenterDefaults } from "../../media/hls/segmenter.ts";
import { audioTrack, EPOCH, encode, videoTrack } from "../../media/hls/testing/stream.ts";
import type { Unit } from "../../media/unit.ts";
import { Channel } from "../channel.ts";
import type { Source } from "../delivery.ts";

export class TestSource implements Source {
  readonly channel: Channel;
  readonly channels: ReadonlyMap<string, Channel>;
  readonly ingest = { port: 1935, connections: 0, accepted: 0, refused: {} };
  time = 0;
  #encoder: Generator<Unit> | undefined;
  #next: Unit | undefined;
  wakes = 0;

  constructor({ waitersMax = 100, offlineKeep = 60_000 } = {}) {
    this.channel = new Channel("demo", {
      window: { firstMsn: 100, segmentsMax: 10, segmentsKept: 2, bytesMax: 1e8, targetDuration: 2 },
      segmenter: segmenterDefaults,
      waitersMax,
      offlineKeep,
      compress: (text) => new TextEncoder().encode(`gzip:${text.length}`),
    });
    this.channels = new Map([["demo", this.channel]]);
  }

  now(): number {
    return this.time;
  }
  wallClock(): number {
    return EPOCH + this.time;
  }
  wake(): void {
    this.wakes++;
  }

  /** Begins a stream if none runs, and lets so many seconds of it arrive. */
  stream(seconds: number, { frameBytes = 100 } = {}): void {
    if (!this.channel.live) {
      this.channel.start(this.wallClock());
      this.channel.configure([videoTrack, audioTrack]);
      const arrival = this.wallClock();
      this.#encoder = encode({
        framesPerSecond: 30,
        keyframeEvery: 60,
        seconds: 1000,
        startMs: this.time,
        arrival,
        audio: true,
        frameBytes,
      });
      this.#next = this.#encoder.next().value ?? undefined;
    }
    const until = this.time + seconds * 1000;
    while (this.#next !== undefined && this.#next.arrival < EPOCH + until) {
      this.time = this.#next.arrival - EPOCH;
      this.channel.push(this.time, this.#next);
      this.channel.advance(this.time);
      this.#next = this.#encoder?.next().value ?? undefined;
    }
    this.time = until;
    this.channel.advance(until);
  }
}
