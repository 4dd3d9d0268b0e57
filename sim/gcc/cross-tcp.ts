/** TCP downloads that share the bottleneck: the cross traffic of RFC 8867 5.6 and 5.7. */
import { Prng } from "../../src/base/prng.ts";
import { type Bytes, type Millis, NEVER } from "../../src/base/units.ts";
import { Cubic } from "../../src/emulator/cubic.ts";
import { Reno } from "../../src/emulator/reno.ts";
import { TcpReceiver } from "../../src/emulator/tcp-receiver.ts";
import { SEGMENT_BYTES_MAX } from "../../src/emulator/tcp-segment.ts";
import { TcpSender } from "../../src/emulator/tcp-sender.ts";
import type { Member } from "../world.ts";
import type { Path, SegmentEnd } from "./path.ts";

const WINDOW: Bytes = 1 << 20;
const DATA = new Uint8Array(65_536);

export interface CrossTcpOptions {
  /** The first download begins. */
  readonly startAt?: Millis;
  readonly congestion?: "cubic" | "reno";
  /** Downloads of a uniform size in between, each over a connection of its own after an exponential pause; without it one without end. */
  readonly files?: { readonly seed: number; readonly bytesMin: Bytes; readonly bytesMax: Bytes; readonly pauseMean: Millis };
  /** Downloads `on` long, one every `every`. */
  readonly bursts?: { readonly on: Millis; readonly every: Millis };
}

export class CrossTcp implements Member {
  /** Bytes of data that arrived in order, over all downloads; and by sample of 200 ms. */
  received: Bytes = 0;
  readonly receivedBytes: number[] = [];
  downloads = 0;
  readonly #path: Path;
  readonly #options: CrossTcpOptions;
  readonly #prng: Prng;
  #connection: Connection | undefined;
  #nextAt: Millis;

  constructor(path: Path, options: CrossTcpOptions = {}) {
    this.#path = path;
    this.#options = options;
    this.#prng = new Prng(options.files?.seed ?? 0);
    this.#nextAt = (options.startAt ?? 0) + this.#pause();
  }

  turn(now: Millis): void {
    if (this.#connection === undefined && now >= this.#nextAt) this.#open(now);
    const connection = this.#connection;
    if (connection === undefined) return;
    connection.turn(now);
    if (!connection.done(now)) return;
    this.#connection = undefined;
    const { bursts } = this.#options;
    this.#nextAt = bursts === undefined ? now + this.#pause() : this.#nextAt + bursts.every;
  }

  deadline(): Millis {
    return this.#connection === undefined ? this.#nextAt : this.#connection.deadline();
  }

  #pause(): Millis {
    const { files } = this.#options;
    return files === undefined ? 0 : this.#prng.exponential() * files.pauseMean;
  }

  #open(now: Millis): void {
    const { files, bursts, congestion } = this.#options;
    const bytes = files === undefined ? Number.POSITIVE_INFINITY : files.bytesMin + this.#prng.below(files.bytesMax - files.bytesMin);
    this.downloads++;
    const onData = (at: Millis, length: Bytes): void => {
      this.received += length;
      const sample = Math.floor(at / 200);
      this.receivedBytes[sample] = (this.receivedBytes[sample] ?? 0) + length;
    };
    this.#connection = new Connection(this.#path, bytes, bursts === undefined ? NEVER : now + bursts.on, congestion ?? "cubic", onData);
  }
}

class Connection {
  readonly #path: Path;
  readonly #sender: TcpSender;
  readonly #receiver = new TcpReceiver(WINDOW);
  readonly #until: Millis;
  readonly #out = new Uint8Array(SEGMENT_BYTES_MAX);
  readonly #outView = new DataView(this.#out.buffer);
  readonly #far: SegmentEnd;
  readonly #near: SegmentEnd;
  #left: Bytes;

  constructor(path: Path, bytes: Bytes, until: Millis, congestion: "cubic" | "reno", onData: (now: Millis, length: Bytes) => void) {
    this.#path = path;
    this.#left = bytes;
    this.#until = until;
    this.#sender = new TcpSender(WINDOW, congestion === "reno" ? new Reno() : new Cubic());
    this.#near = { segment: (now, _bytes, view) => this.#sender.receive(now, view) };
    this.#far = {
      segment: (now, segment, view, length) => {
        const receiver = this.#receiver;
        receiver.receive(now, segment, view, 0, length);
        onData(now, receiver.queue.length);
        receiver.queue.consume(receiver.queue.length);
        this.#acknowledge(now);
      },
    };
  }

  turn(now: Millis): void {
    const sender = this.#sender;
    if (now >= this.#until) this.#left = 0;
    while (this.#left > 0 && sender.room >= DATA.length) {
      const length = Math.min(this.#left, DATA.length);
      sender.queue.push(DATA, 0, length);
      this.#left -= length;
    }
    this.#acknowledge(now);
    sender.advance(now);
    for (let n = sender.transmit(now, this.#out, this.#outView); n > 0; n = sender.transmit(now, this.#out, this.#outView)) {
      this.#path.segment(now, this.#path.forward, this.#far, this.#out, n);
    }
  }

  /** Everything has arrived, or the time is over: what is under way then arrives for nobody. */
  done(now: Millis): boolean {
    return now >= this.#until || (this.#left === 0 && this.#sender.queue.length === 0 && this.#sender.inFlight === 0);
  }

  deadline(): Millis {
    return Math.min(this.#sender.deadline(), this.#receiver.deadline(), this.#until);
  }

  #acknowledge(now: Millis): void {
    const n = this.#receiver.transmit(now, this.#outView);
    if (n > 0) this.#path.segment(now, this.#path.backward, this.#near, this.#out, n);
  }
}
