/**
 * One cell of the table: a kind of traffic through the whole tunnel over a profile, in virtual time. The same kinds and profiles as the emulator
 * on real interfaces judges by (frames and messages stamped when they were due, whoever blocks the sender), so figures can be compared.
 *
 *   rt    6 Mbit/s, 30 frames a second, every 60th ten times as large      delay of each frame until its last byte
 *   msg   200 bytes, 50 a second                                           delay of each message
 *   bulk  as much as is taken                                              bytes received
 */
import { Prng } from "../../src/base/prng.ts";
import type { Bytes, Millis } from "../../src/base/units.ts";
import type { TcpHandler, TcpSocket } from "../../src/host/loop.ts";
import { Stalls, type StallTimes } from "../stalls.ts";
import { TunnelWorld } from "../tunnel-world.ts";

export const profiles = {
  a: "delay=100 loss=1% rate=20mbit qbytes=512k",
  b: "delay=150 ge=5%:5 rate=20mbit qbytes=512k",
  c: "delay=50 loss=2% rate=50mbit qbytes=512k",
  d: "delay=125 rate=20mbit qbytes=32k",
  f: "delay=100 rate=20mbit qbytes=512k",
} as const;

export type Kind = "rt" | "msg" | "bulk";

/** What IP and UDP add to a datagram. */
const IP_UDP_BYTES = 28;
/** The session is open, and the peer known, before the traffic begins, as in the runs on real interfaces. */
const LEAD_MS: Millis = 2000;

export interface Case {
  readonly kind: Kind;
  readonly link: string;
  readonly seed: number;
  readonly seconds: number;
  readonly client: Record<string, unknown>;
  readonly server: Record<string, unknown>;
  /** The client is a modelled kcptun. */
  readonly fromKcptun?: boolean;
  /** Changes of the link, counted from the traffic's beginning. */
  readonly changes?: readonly { readonly at: Millis; readonly link: string }[];
  /** The connection is opened so long before the traffic begins. */
  readonly lead?: Millis;
  /** Both ends run on busy machines. */
  readonly stalls?: StallTimes;
}

export interface Result {
  /** Of complete frames or messages; those that never arrived count with their age at the end. */
  readonly delays: Float64Array;
  readonly receivedBytes: Bytes;
  /** IP bytes offered to the link by the sender for a byte received. */
  readonly wire: number;
  readonly mbps: number;
  readonly world: TunnelWorld;
  /** Longest time without a complete frame or message. */
  readonly gap: Millis;
}

/** Sends units of given sizes when they are due; what the socket does not take waits, and with it all that follows. */
class Schedule implements TcpHandler {
  readonly #socket: () => TcpSocket;
  readonly #buffer = new Uint8Array(65_536);
  #offered = 0;
  #written = 0;

  constructor(socket: () => TcpSocket) {
    this.#socket = socket;
  }

  due(bytes: number): void {
    this.#offered += bytes;
    this.writable();
  }

  connected(): void {
    this.writable();
  }

  writable(): void {
    while (this.#written < this.#offered) {
      const n = Math.min(this.#buffer.length, this.#offered - this.#written);
      const taken = this.#socket().write(this.#buffer, 0, n);
      this.#written += taken;
      if (taken < n) return;
    }
  }

  readable(): void {}
  closed(): void {}
}

/** Notes when each unit's last byte came. */
class Sink implements TcpHandler {
  readonly #socket: TcpSocket;
  readonly #buffer = new Uint8Array(65_536);
  readonly #onBytes: (now: Millis, n: number) => void;

  constructor(socket: TcpSocket, onBytes: (now: Millis, n: number) => void) {
    this.#socket = socket;
    this.#onBytes = onBytes;
  }

  connected(now: Millis): void {
    this.readable(now);
  }

  readable(now: Millis): void {
    for (
      let n = this.#socket.read(this.#buffer, 0, this.#buffer.length);
      n > 0;
      n = this.#socket.read(this.#buffer, 0, this.#buffer.length)
    ) {
      this.#onBytes(now, n);
    }
  }

  writable(): void {}
  closed(): void {}
}

export function play(c: Case): Result {
  const units = unitsOf(c);
  const ends: number[] = [];
  let total = 0;
  for (const { bytes } of units) {
    total += bytes;
    ends.push(total);
  }
  const arrivals: Millis[] = [];
  let received = 0;
  const world = new TunnelWorld(
    { link: `${c.link} ovh=${IP_UDP_BYTES}`, seed: c.seed, client: c.client, server: c.server, fromKcptun: c.fromKcptun === true },
    (socket) =>
      new Sink(socket, (now, n) => {
        if (now <= LEAD_MS + c.seconds * 1000 || c.kind !== "bulk") received += n;
        while (arrivals.length < units.length && received >= ends[arrivals.length]!) arrivals.push(now);
      }),
  );
  let schedule!: Schedule;
  const { stalls } = c;
  if (stalls !== undefined)
    for (const [i, host] of ["10.0.0.1", "10.0.0.2"].entries()) world.network.host(host).stalls = new Stalls(new Prng(c.seed + i), stalls);
  world.network.at(LEAD_MS - (c.lead ?? 300), () => world.connect((socket) => (schedule = new Schedule(socket))));
  const { links, network } = world;
  network.at(LEAD_MS, () => {
    links.ab.counters.receivedBytes = 0;
    links.ab.counters.received = 0;
  });
  for (const { at, link } of c.changes ?? []) {
    network.at(LEAD_MS + at, () => {
      links.ab.set(link);
      links.ba.set(link);
    });
  }
  if (c.kind === "bulk") network.at(LEAD_MS, () => schedule.due(1e12));
  for (const { at, bytes } of units) network.at(LEAD_MS + at, () => schedule.due(bytes));
  const grace = c.kind === "bulk" ? 0 : 8;
  world.run(LEAD_MS / 1000 + c.seconds + grace, () => units.length > 0 && arrivals.length === units.length);
  const end = LEAD_MS + (c.seconds + grace) * 1000;
  const delays = Float64Array.from(units, ({ at }, i) => (arrivals[i] ?? end) - LEAD_MS - at);
  const { receivedBytes, received: datagrams } = links.ab.counters;
  let gap = 0;
  for (let i = 1; i < arrivals.length; i++) gap = Math.max(gap, arrivals[i]! - arrivals[i - 1]!);
  return {
    delays,
    receivedBytes: received,
    wire: (receivedBytes + datagrams * IP_UDP_BYTES) / Math.max(received, 1),
    mbps: (received * 8) / c.seconds / 1e6,
    world,
    gap,
  };
}

function unitsOf({ kind, seconds }: Case): { at: Millis; bytes: number }[] {
  if (kind === "bulk") return [];
  if (kind === "msg") return Array.from({ length: seconds * 50 }, (_, i) => ({ at: i * 20, bytes: 200 }));
  const plain = Math.round((6e6 / 8 / 30) * (60 / 69));
  return Array.from({ length: seconds * 30 }, (_, i) => ({ at: (i * 1000) / 30, bytes: i % 60 === 0 ? plain * 10 : plain }));
}

/** kcptun's published long-haul set-up: FEC 10+5, large windows. */
export function kcptun(mode: string): { client: Record<string, unknown>; server: Record<string, unknown> } {
  const both = { mode, mtu: 1350, datashard: 10, parityshard: 5, compat: "2021", extensions: "false" };
  return { client: { ...both, sndwnd: 1024, rcvwnd: 2048 }, server: { ...both, sndwnd: 2048, rcvwnd: 1024 } };
}

/** Our own defaults, at both ends. */
export const auto = {
  mode: "auto",
  mtu: 1350,
  datashard: 10,
  parityshard: 3,
  nocomp: "true",
  sndwnd: 8192,
  rcvwnd: 8192,
  smuxbuf: 16_777_216,
  streambuf: 16_777_216,
} as const;

export function quantile(delays: Float64Array, q: number): Millis {
  return delays.toSorted()[Math.min(delays.length - 1, Math.floor(q * delays.length))]!;
}
