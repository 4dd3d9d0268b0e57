/** Transfers without end that share a path: sessions that tune themselves, each between two machines of its own, and modelled TCPs. */
import { Prng } from "../../src/base/prng.ts";
import type { Bytes, Millis } from "../../src/base/units.ts";
import type { TcpHandler } from "../../src/host/loop.ts";
import { Stalls, type StallTimes } from "../stalls.ts";
import { TunnelWorld } from "../tunnel-world.ts";
import { auto } from "./case.ts";
import { TcpFlow } from "./tcp-flow.ts";

const buffer = new Uint8Array(65_536);

export interface Sharing {
  readonly link: string;
  readonly seed: number;
  /** When each of ours, and each TCP begins. */
  readonly ours: readonly Millis[];
  readonly tcp?: readonly Millis[];
  /** When each TCP begins that sends the other way; what they receive does not count. */
  readonly back?: readonly Millis[];
  /** So long before it begins each of ours is open, with nothing to send. */
  readonly idle?: Millis;
  /** What counts is received between these. */
  readonly from: Millis;
  readonly to: Millis;
  /** All machines are busy, each by itself. */
  readonly stalls?: StallTimes;
}

export interface Shared {
  readonly ours: readonly Bytes[];
  readonly tcp: readonly Bytes[];
  /** Of all that was received, ours. */
  readonly share: number;
  /** Jain's index over all flows. */
  readonly jain: number;
  /** kbit/s, altogether. */
  readonly kbps: number;
}

/** `each`: called every 100 ms, for those who look closer. */
export function share(s: Sharing, each?: (now: Millis, worlds: readonly TunnelWorld[]) => void): Shared {
  const ours = s.ours.map(() => 0);
  const worlds: TunnelWorld[] = [];
  for (const [i, begins] of s.ours.entries()) {
    const beside = worlds[0];
    const count = (now: Millis, n: Bytes): void => {
      if (now >= s.from && now < s.to) ours[i]! += n;
    };
    const world = new TunnelWorld(
      { link: `${s.link} ovh=28`, seed: s.seed + i * 10, client: auto, server: auto, ...(beside !== undefined && { beside }) },
      (socket) =>
        reader((now) => {
          for (let n = socket.read(buffer, 0, buffer.length); n > 0; n = socket.read(buffer, 0, buffer.length)) count(now, n);
        }),
    );
    worlds.push(world);
    const { idle = 0 } = s;
    let begun = idle === 0;
    world.network.at(Math.max(0, begins - idle), () =>
      world.connect((socket) => {
        const write = (): void => {
          while (begun && socket().write(buffer, 0, buffer.length) === buffer.length);
        };
        if (!begun)
          world.network.at(begins, () => {
            begun = true;
            write();
          });
        return { connected: write, writable: write, readable: () => {}, closed: () => {} };
      }),
    );
    if (s.stalls !== undefined)
      for (const host of [world.near, world.far])
        world.network.host(host).stalls = new Stalls(new Prng(s.seed + i * 10 + (host === world.near ? 1 : 2)), s.stalls);
  }
  const [world] = worlds;
  const { network } = world!;
  const tcps: TcpFlow[] = [];
  const before: Bytes[] = [];
  for (const [i, begins] of (s.tcp ?? []).entries()) network.at(begins, () => (tcps[i] = new TcpFlow(world!, 9 + i)));
  const turned = { network, near: world!.far, far: world!.near };
  for (const [i, begins] of (s.back ?? []).entries()) network.at(begins, () => new TcpFlow(turned, 99 + i));
  network.at(s.from, () => {
    for (const [i, tcp] of tcps.entries()) before[i] = tcp.received;
  });
  if (each !== undefined) {
    const tick = (): void => {
      each(network.now, worlds);
      network.at(network.now + 100, tick);
    };
    network.at(100, tick);
  }
  network.run(s.to);
  const tcp = tcps.map(({ received }, i) => received - (before[i] ?? 0));
  const all = [...ours, ...tcp];
  const sum = all.reduce((a, b) => a + b, 0);
  return {
    ours,
    tcp,
    share: ours.reduce((a, b) => a + b, 0) / sum,
    jain: sum ** 2 / (all.length * all.reduce((a, b) => a + b * b, 0)),
    kbps: (sum * 8) / (s.to - s.from),
  };
}

function reader(read: (now: Millis) => void): TcpHandler {
  return { connected: read, readable: read, writable: () => {}, closed: () => {} };
}
