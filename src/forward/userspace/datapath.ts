/**
 * The userspace datapath: this process moves the datagrams, by sockets and nothing else. For machines where the kernel may not be told to.
 *
 *   a place        a socket (entrance.ts)             a flow    a socket of its own towards its backend (flow.ts)
 *   loop           epoll with recvmmsg and sendmmsg where foreign calls work, Node's sockets elsewhere
 *
 * Deviations from what datapath.ts promises: `source` transparent is not possible; sources are judged and their limits kept after the kernel has taken
 * the datagram; of a backend's ICMP errors a refused port is told to the client, with CAP_NET_RAW only, others are counted; time to live and DSCP are not kept; flows end with
 * the process.
 */
import { HostError } from "../../base/errors.ts";
import type { Millis } from "../../base/units.ts";
import { formatHostPort } from "../../host/ip-address.ts";
import type { Loop, UdpOptions } from "../../host/loop.ts";
import {
  type Capabilities,
  type Capture,
  type CaptureOptions,
  type Datapath,
  type DatapathStats,
  type Flow,
  newForwardStats,
  type PacketSink,
} from "../datapath.ts";
import type { DesiredState } from "../desired-state.ts";
import type { Forward } from "../forward.ts";
import { formatAddress, sizeOf } from "../ip-range.ts";
import { type Backend, portOf } from "../listen.ts";
import { type Plan, plan } from "../plan.ts";
import { Entrance, type EntranceShared } from "./entrance.ts";
import { UserFlow } from "./flow.ts";
import { ipPacket } from "./ip-packet.ts";
import { Served } from "./served.ts";

/** Places that one forward may have: each is a socket. */
const PLACES_MAX = 10_000n;
const SWEEP_MS: Millis = 250;
/** Ports that are tried for a flow before it is refused. */
const PORT_TRIES = 64;

export interface UserspaceOptions {
  readonly loop: Loop;
  readonly flowsMax: number;
  /** Which of our addresses leads to a host. */
  readonly route: (host: string) => string;
  /** 0…1, for source ports. */
  readonly random: () => number;
  /** Raises the limit of open files to so many if it can; answers what it is. */
  readonly descriptors?: (wanted: number) => number;
  /** Sends `to` the error that the port is not there, about a datagram with these headers; false when that is not possible. */
  readonly refuse?: (from: string, to: string, quoted: Uint8Array) => boolean;
}

export class UserspaceDatapath implements Datapath, EntranceShared {
  readonly kind = "userspace";
  readonly capabilities: Capabilities = { outlivesProcess: false, transparent: false, capture: true };
  readonly loop: Loop;
  readonly counters = { flowsBegun: 0, flowsExpired: 0, flowsFull: 0, portsExhausted: 0, socketFull: 0, refusals: 0, refusalsUntold: 0 };
  tap: EntranceShared["tap"];
  readonly #taps = new Set<Tap>();
  readonly #options: UserspaceOptions;
  readonly #served = new Map<string, Served>();
  readonly #entrances = new Map<string, Entrance>();
  readonly #flows = new Set<UserFlow>();
  #sweepAt: Millis = 0;
  #refusalsFrom: Millis = 0;
  #refusals = 0;
  #last: Plan | undefined;

  constructor(options: UserspaceOptions) {
    this.#options = options;
    this.loop = options.loop;
    options.loop.drive({ advance: (now) => this.#advance(now) });
  }

  refuses({ source, choices, listen: { addresses, ports } }: Forward): string | undefined {
    if (choices !== undefined) return "it chooses by weights alone";
    if (source.kind === "transparent") return "it cannot send with somebody else's address; give source auto or addresses of this machine";
    const places = sizeOf(addresses) * BigInt(ports.last - ports.first + 1);
    return places > PLACES_MAX
      ? `it opens a socket for each of the ${places} places, at most ${PLACES_MAX}; give a smaller range`
      : undefined;
  }

  async apply(given: Plan): Promise<void> {
    const now = this.loop.now();
    const wanted = placesOf(given.after);
    const served = new Map<string, Served>();
    for (const forward of given.after.forwards.values())
      served.set(forward.name, this.#served.get(forward.name) ?? new Served(forward, now));
    const opened = this.#open(wanted, served);
    for (const [name, each] of served) each.become(given.after.forwards.get(name)!, now);
    for (const [place, entrance] of opened) this.#entrances.set(place, entrance);
    for (const [place, entrance] of this.#entrances) {
      const owner = served.get(wanted.get(place)?.forward.name ?? "");
      if (owner === undefined) {
        for (const flow of entrance.flows.values()) this.#end(flow);
        entrance.close();
        this.#entrances.delete(place);
        continue;
      }
      const same = entrance.served === owner;
      entrance.served = owner;
      for (const flow of entrance.flows.values()) if (!same || !keeps(owner.forward, flow) || !owner.serves(hostOf(flow))) this.#end(flow);
    }
    this.#served.clear();
    for (const [name, each] of served) this.#served.set(name, each);
    this.#last = given;
    this.loop.wake();
  }

  async verify(): Promise<string | undefined> {
    return undefined;
  }

  async rollback(): Promise<void> {
    const last = this.#last;
    if (last === undefined) return;
    await this.apply(plan(last.after, last.before));
    this.#last = undefined;
  }

  async stats(): Promise<DatapathStats> {
    const forwards = new Map(Array.from(this.#served, ([name, { stats }]) => [name, { ...newForwardStats(), ...stats, flows: 0 }]));
    for (const { entrance } of this.#flows) forwards.get(entrance.served.forward.name)!.flows++;
    return { forwards, counters: { ...this.counters } };
  }

  async flows(limit: number, forward?: string): Promise<readonly Flow[]> {
    const now = this.loop.now();
    const flows: Flow[] = [];
    for (const flow of this.#flows) {
      if (flows.length >= limit) break;
      if (forward === undefined || flow.entrance.served.forward.name === forward) flows.push(describe(flow, now));
    }
    return flows;
  }

  async endFlows(forward: string, backend?: string): Promise<number> {
    let ended = 0;
    for (const flow of this.#flows) {
      const { host, port } = flow.backend;
      if (flow.entrance.served.forward.name !== forward || (backend !== undefined && formatHostPort(host, port) !== backend)) continue;
      this.#end(flow);
      ended++;
    }
    return ended;
  }

  async capture({ forward, oneIn, bytesMax }: CaptureOptions, sink: PacketSink): Promise<Capture> {
    const tap: Tap = (flow, inbound, bytes, start, end) => {
      const { entrance, backend } = flow;
      if (forward !== undefined && entrance.served.forward.name !== forward) return;
      if (oneIn > 1 && this.#options.random() * oneIn >= 1) return;
      const client = { host: hostOf(flow), port: entrance.socket.addresses.port(flow.peer) };
      const [from, to] = inbound ? [client, backend] : [backend, client];
      const packet = ipPacket(from, to, bytes.subarray(start, end), bytesMax);
      sink(packet.bytes, Date.now() / 1000, packet.length);
    };
    this.#taps.add(tap);
    this.tap = (...seen) => {
      for (const each of this.#taps) each(...seen);
    };
    return {
      dropped: 0,
      stop: async () => {
        this.#taps.delete(tap);
        if (this.#taps.size === 0) this.tap = undefined;
      },
    };
  }

  async close(): Promise<void> {
    for (const flow of this.#flows) this.#end(flow);
    for (const entrance of this.#entrances.values()) entrance.close();
    this.#entrances.clear();
    this.#served.clear();
    this.loop.stop();
  }

  begin(entrance: Entrance, peer: number, now: Millis): UserFlow | undefined {
    const { served, socket } = entrance;
    const source = socket.addresses.host(peer);
    const backend = served.choose(source, socket.addresses.port(peer));
    if (backend === undefined) {
      served.stats.refused++;
      return undefined;
    }
    if (this.#flows.size >= this.#options.flowsMax) {
      this.counters.flowsFull++;
      return undefined;
    }
    const flow = this.#connect(entrance, peer, backend, now);
    if (flow === undefined) {
      this.counters.portsExhausted++;
      return undefined;
    }
    this.counters.flowsBegun++;
    this.#flows.add(flow);
    entrance.flows.set(peer, flow);
    return flow;
  }

  refused({ entrance, peer }: UserFlow, now: Millis): void {
    this.counters.refusals++;
    if (now >= this.#refusalsFrom + 1000) [this.#refusalsFrom, this.#refusals] = [now, 0];
    const { addresses } = entrance.socket;
    const client = { host: addresses.host(peer), port: addresses.port(peer) };
    const quoted = ipPacket(client, entrance, NO_PAYLOAD, QUOTED_MAX).bytes;
    const told = this.#refusals++ < REFUSALS_PER_SECOND && this.#options.refuse?.(entrance.host, client.host, quoted) === true;
    if (!told) this.counters.refusalsUntold++;
  }

  #connect(entrance: Entrance, peer: number, backend: Backend, now: Millis): UserFlow | undefined {
    const { forward } = entrance.served;
    const { source, listen } = forward;
    if (source.kind === "transparent") return undefined;
    const { first, last } = source.ports;
    const to = { host: formatAddress(backend.family, backend.address), port: portOf(listen, backend) ?? entrance.port };
    const count = last - first + 1;
    const start = Math.floor(this.#options.random() * count);
    for (let n = 0; n < Math.min(PORT_TRIES, count); n++) {
      const from: UdpOptions = { host: this.#sourceHost(forward, to.host), port: first + ((start + n) % count) };
      try {
        return new UserFlow(this, entrance, peer, { backend: to, source: from }, now);
      } catch (error) {
        if (!(error instanceof HostError)) throw error;
        // Any other reason will not go away with another port.
        if (error.code !== "EADDRINUSE" && error.code !== "EACCES") return undefined;
      }
    }
    return undefined;
  }

  #sourceHost({ source, listen }: Forward, backend: string): string {
    if (source.kind !== "addresses") return this.#options.route(backend);
    const { family } = listen.addresses;
    let place = BigInt(Math.floor(this.#options.random() * Number(source.ranges.reduce((sum, range) => sum + sizeOf(range), 0n))));
    for (const range of source.ranges) {
      if (place < sizeOf(range)) return formatAddress(family, range.first + place);
      place -= sizeOf(range);
    }
    return this.#options.route(backend);
  }

  /** Entrances that are missing; all or none. */
  #open(wanted: ReadonlyMap<string, Wanted>, served: ReadonlyMap<string, Served>): Map<string, Entrance> {
    this.#makeRoom(wanted);
    const opened = new Map<string, Entrance>();
    try {
      for (const [place, { forward, host, port }] of wanted) {
        if (this.#entrances.has(place)) continue;
        opened.set(place, new Entrance(this, served.get(forward.name)!, host, port, this.#options.flowsMax + 1024));
      }
    } catch (error) {
      for (const entrance of opened.values()) entrance.close();
      throw error;
    }
    return opened;
  }

  /** A socket for each place, and one for each flow that may come. What is replaced is still open meanwhile. @throws HostError when not even the places fit */
  #makeRoom(wanted: ReadonlyMap<string, Wanted>): void {
    let places = this.#entrances.size;
    for (const place of wanted.keys()) if (!this.#entrances.has(place)) places++;
    const limit = this.#options.descriptors?.(places + this.#options.flowsMax + DESCRIPTORS_BESIDE);
    if (limit === undefined || limit > places + DESCRIPTORS_BESIDE) return;
    throw new HostError(
      "EMFILE",
      "userspace",
      `${places} places need a socket each and ${limit} files may be open; "ulimit -n", or LimitNOFILE= of a systemd service, sets it, or give smaller ranges`,
    );
  }

  #advance(now: Millis): Millis {
    if (now < this.#sweepAt) return this.#sweepAt;
    for (const flow of this.#flows) {
      if (now - flow.activeAt < flow.entrance.served.forward.idleSeconds * 1000) continue;
      this.counters.flowsExpired++;
      this.#end(flow);
    }
    for (const { limiter } of this.#served.values()) limiter?.sweep(now);
    this.#sweepAt = now + SWEEP_MS;
    return this.#sweepAt;
  }

  #end(flow: UserFlow): void {
    this.#flows.delete(flow);
    flow.entrance.flows.delete(flow.peer);
    flow.close();
  }
}

/** Of the process itself, and some flows. */
const DESCRIPTORS_BESIDE = 128;
/** As the kernel limits its own (net.ipv4.icmp_msgs_per_sec). */
const REFUSALS_PER_SECOND = 1000;
const NO_PAYLOAD = new Uint8Array();
/** Both headers. */
const QUOTED_MAX = 48;

type Tap = NonNullable<EntranceShared["tap"]>;

interface Wanted {
  readonly forward: Forward;
  readonly host: string;
  readonly port: number;
}

/** Every place of every forward that is not off. */
function placesOf(state: DesiredState): Map<string, Wanted> {
  const places = new Map<string, Wanted>();
  for (const forward of state.forwards.values()) {
    if (forward.state === "off") continue;
    const { addresses, ports } = forward.listen;
    for (let address = addresses.first; address <= addresses.last; address++) {
      const host = formatAddress(addresses.family, address);
      for (let port = ports.first; port <= ports.last; port++) places.set(`${host} ${port}`, { forward, host, port });
    }
  }
  return places;
}

/** Whether its backend is still one of the forward's. */
function keeps({ backends, listen }: Forward, { backend, entrance }: UserFlow): boolean {
  return backends.some(
    (each) => formatAddress(each.family, each.address) === backend.host && (portOf(listen, each) ?? entrance.port) === backend.port,
  );
}

function hostOf({ entrance, peer }: UserFlow): string {
  return entrance.socket.addresses.host(peer);
}

function describe(flow: UserFlow, now: Millis): Flow {
  const { entrance, backend, local, peer, packetsIn, bytesIn, packetsOut, bytesOut } = flow;
  const { forward } = entrance.served;
  return {
    forward: forward.name,
    source: entrance.socket.addresses.format(peer),
    listen: formatHostPort(entrance.host, entrance.port),
    seenAs: formatHostPort(local.host, local.port),
    backend: formatHostPort(backend.host, backend.port),
    ...{ packetsIn, bytesIn, packetsOut, bytesOut },
    expiresSeconds: Math.max(0, Math.ceil(forward.idleSeconds - (now - flow.activeAt) / 1000)),
  };
}
