/** A client with two ways to its server, by two links, in virtual time. */
import type { Millis } from "../src/base/units.ts";
import { type Carrier, udpCarrier } from "../src/host/link.ts";
import type { Loop, TcpSocket } from "../src/host/loop.ts";
import { quantile } from "./auto/case.ts";
import { LogLines, TunnelWorld } from "./tunnel-world.ts";
import type { VirtualLoop } from "./virtual-loop.ts";

const SECOND = "10.0.0.3";
const buffer = new Uint8Array(65_536);

/** Every 10 ms an application sends 2 kB, or what is said, and the longest time without any of it is watched, and how long each piece takes. */
export class TwoWays {
  readonly lines = new LogLines();
  readonly world: TunnelWorld;
  readonly second: ReturnType<TunnelWorld["network"]["join"]>;
  sent = 0;
  received = 0;
  wrong = 0;
  gap: Millis = 0;
  /** Of the pieces that have come, in their order. */
  readonly delays: Millis[] = [];
  readonly #pieces: { readonly end: number; readonly at: Millis }[] = [];
  #last: Millis = 0;
  readonly #wrap: (carrier: Carrier) => Carrier;
  readonly #pieceBytes: number;
  /** With the first one. */
  readonly #burstBytes: number;
  readonly #everyMs: Millis;

  constructor(
    first: string,
    second: string,
    { pieceBytes = 2048, wrap = (carrier: Carrier) => carrier, windows = {}, burstBytes = 0, everyMs = 10, client = {}, server = {} } = {},
  ) {
    this.#wrap = wrap;
    this.#pieceBytes = pieceBytes;
    this.#burstBytes = burstBytes;
    this.#everyMs = everyMs;
    const carriers = (loop: Loop) => [{ carrier: udpCarrier(loop) }, { carrier: this.#other(loop), at: { host: SECOND, port: 3000 } }];
    const options = { mode: "auto", nocomp: "true", ...windows };
    this.world = new TunnelWorld(
      {
        link: first,
        seed: 1,
        log: this.lines,
        carriers,
        client: { ...options, ...client, path: [`${SECOND}:3000`] },
        server: { ...options, ...server },
      },
      (socket) => ({ connected: () => {}, writable: () => {}, closed: () => {}, readable: (now) => this.#read(now, socket) }),
    );
    this.second = this.world.network.join("10.0.0.1", SECOND, second, 7);
  }

  /** At the server, another address of the same machine. */
  #other(loop: Loop): Carrier {
    const at = (loop as VirtualLoop).address === "10.0.0.2" ? (loop as VirtualLoop).network.host(SECOND) : loop;
    return this.#wrap(udpCarrier(at));
  }

  #read(now: Millis, socket: TcpSocket): void {
    for (let n = socket.read(buffer, 0, buffer.length); n > 0; n = socket.read(buffer, 0, buffer.length)) {
      for (let i = 0; i < n; i++) if (buffer[i] !== ((this.received + i) & 255)) this.wrong++;
      this.received += n;
      if (this.#last > 0) this.gap = Math.max(this.gap, now - this.#last);
      this.#last = now;
    }
    for (let piece = this.#pieces[this.delays.length]; piece !== undefined && piece.end <= this.received; ) {
      this.delays.push(now - piece.at);
      piece = this.#pieces[this.delays.length];
    }
  }

  /** Of the delays so far. */
  quantile(q: number): Millis {
    return quantile(Float64Array.from(this.delays), q);
  }

  /** The first way carries nothing from one moment to another. */
  cut(from: Millis, to: Millis): void {
    const { network, links } = this.world;
    for (const [at, down] of [
      [from, 1],
      [to, 0],
    ] as const)
      network.at(at, () => {
        links.ab.set(`down=${down}`);
        links.ba.set(`down=${down}`);
      });
  }

  run(seconds: number): void {
    const { network } = this.world;
    let socket: (() => TcpSocket) | undefined;
    network.at(500, () =>
      this.world.connect((of) => {
        socket = of;
        return { connected: () => {}, writable: () => {}, readable: () => {}, closed: () => {} };
      }),
    );
    for (let at = 1000; at < seconds * 1000 - 1000; at += this.#everyMs) {
      const piece = new Uint8Array(this.#pieceBytes + (at === 1000 ? this.#burstBytes : 0));
      network.at(at, () => {
        for (let i = 0; i < piece.length; i++) piece[i] = (this.sent + i) & 255;
        this.sent += socket!().write(piece, 0, piece.length);
        this.#pieces.push({ end: this.sent, at: network.now });
      });
    }
    this.world.run(seconds);
  }
}
