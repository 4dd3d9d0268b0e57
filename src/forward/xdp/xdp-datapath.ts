/**
 * The fast datapath: forwards as tables of the program in bpf/, which the kernel runs for every frame before it makes a packet of it.
 *
 *   installation   program and tables in the kernel, kept over restarts       tables     the desired state in them
 *   collector      ends idle flows                                             counts     statistics
 *   neighbours     routes and MACs: when they change, every flow looks again with its next packet
 *
 * Deviations from datapath.ts: limits and lists are looked at once a flow is known (step 3 before 1 and 2), with the same outcome, except that
 * a packet over a limit that would be the first of a flow opens it. Of a captured packet there are 2,000 bytes at most. Packets with options, and fragments before their first one, are left to the kernel.
 */
import { HostError } from "../../base/errors.ts";
import type { BpfProgram } from "../../host/bpf/bpf-program.ts";
import { RingBuffer } from "../../host/bpf/ring-buffer.ts";
import { type Interface, listInterfaces } from "../../host/interface.ts";
import { formatIp } from "../../host/ip-address.ts";
import { Neighbours, type Way } from "../../host/neighbours.ts";
import { loadSys, type Poll, type Sys } from "../../host/sys.ts";
import {
  type Capabilities,
  type Capture,
  type CaptureOptions,
  type Datapath,
  type DatapathStats,
  type Flow,
  type ForwardStats,
  newForwardStats,
  type PacketSink,
} from "../datapath.ts";
import type { Forward } from "../forward.ts";
import { type Family, formatAddress, parseAddress } from "../ip-range.ts";
import { formatBackend } from "../listen.ts";
import type { Plan } from "../plan.ts";
import { Captures } from "./captures.ts";
import { Collector } from "./collector.ts";
import { Counts } from "./counts.ts";
import { Devices, type TaggedInterface } from "./devices.ts";
import { describeFlow } from "./flow-entry.ts";
import type { FlowTable } from "./flow-table.ts";
import { FlowTotals } from "./flow-totals.ts";
import { type AttachedInterface, Installation } from "./installation.ts";
import { EVENT, NEIGHBOUR_EVENT, SETTING_FLAG } from "./layout.ts";
import { isSingle } from "./policy-writer.ts";
import { rehearse } from "./rehearsal.ts";
import { Settings } from "./settings.ts";
import { XDP_LIMITS, type XdpLimits } from "./shapes.ts";
import { flowTable, listenerTable } from "./table-map.ts";
import { Tables } from "./tables.ts";

export interface XdpOptions {
  /** Default "default": of the folder in which program and tables are pinned. */
  readonly name?: string;
  /** Default: those of Ethernet that have an address. */
  readonly interfaces?: readonly string[];
  /** Default native, where that is not possible generic. */
  readonly mode?: "native" | "generic";
  readonly limits?: Partial<XdpLimits>;
  /** Default true. False: forwarding ends with the process. */
  readonly pinned?: boolean;
  /** New flows a second, of all forwards; default as many as leave half of the table to flows with answers. */
  readonly flowsPerSecond?: number;
  /** ICMP errors of our own a second, and as many calls for neighbours; default 1000. */
  readonly answersPerSecond?: number;
  /** How a frame leaves by the interface it came from; default redirect on veth, where a turned one is lost without a program at the other end, else tx. */
  readonly turn?: "tx" | "redirect";
  /** Tagged interfaces besides those of the kernel's own kind, of which it knows itself. */
  readonly vlans?: readonly TaggedInterface[];
  /** Default true: a client must be where its packets come from (as rp_filter = 1). */
  readonly strict?: boolean;
}

export class XdpDatapath implements Datapath {
  readonly kind = "xdp";
  readonly capabilities: Capabilities;
  readonly attached: readonly AttachedInterface[];
  readonly #sys: Sys;
  readonly #installation: Installation;
  readonly #settings: Settings;
  readonly #tables: Tables;
  readonly #counts: Counts;
  readonly #captures: Captures;
  readonly #collector: Collector;
  readonly #flows: readonly FlowTable[];
  readonly #totals: FlowTotals;
  readonly #devices: Devices;
  readonly #events: RingBuffer;
  readonly #poll: Poll;
  readonly #neighbours: Neighbours;
  readonly #ways = new Map<string, Way | undefined>();
  /** Our addresses towards backends, whose neighbours were called when they were looked for; IPv4 and IPv6 do not meet below 2^32. */
  readonly #sources = new Map<bigint, bigint | undefined>();
  readonly #timer: NodeJS.Timeout;
  readonly #began: number;
  #renewal: NodeJS.Timeout | undefined;
  #last: Plan | undefined;
  readonly #tagged: readonly TaggedInterface[];
  #walked = 0;
  /** Interfaces asked for by name; none: all that can be served. */
  readonly #given: ReadonlySet<string>;
  /** Names of those that were served. */
  readonly #known = new Set<string>();
  /** How often an interface that came later could not be served. */
  #unserved = 0;

  /** @throws HostError that says what is missing; what was there before goes on then */
  constructor(options: XdpOptions = {}, sys: Sys = loadSys()) {
    this.#sys = sys;
    this.#tagged = options.vlans ?? [];
    const limits = { ...XDP_LIMITS, ...options.limits };
    const { name = "default", interfaces = servedInterfaces(sys), pinned = true, mode } = options;
    this.#installation = new Installation(sys, { name, interfaces, mode, limits, pinned });
    const { object, cpus, inherited } = this.#installation;
    this.attached = this.#installation.attached;
    this.#given = new Set(options.interfaces);
    for (const { link } of this.attached) this.#known.add(link.name);
    this.capabilities = { outlivesProcess: pinned, transparent: true, capture: true };
    this.#settings = new Settings(object.map("bss"));
    this.#settings.budgets(
      options.flowsPerSecond ?? Math.ceil(limits.flowsMax / UNANSWERED_SHARE),
      options.answersPerSecond ?? ANSWERS_PER_SECOND,
    );
    this.#settings.setFlag(SETTING_FLAG.strict, options.strict ?? true);
    const turn = options.turn ?? (this.attached.some(({ link }) => link.kind === "veth") ? "redirect" : "tx");
    this.#settings.setFlag(SETTING_FLAG.redirect, turn === "redirect");
    this.#counts = new Counts(object.map("counts"), object.map("reasons"), cpus);
    this.#neighbours = new Neighbours(sys, () => this.#renewSoon());
    this.#tables = new Tables(
      object,
      listenerTable(object.map("listening"), this.#settings),
      (family, address) => this.#sourceTo(family, address),
      (id) => this.#counts.clear(id),
    );
    this.#captures = new Captures(this.#settings, this.#tables, () => this.#counts.reason("uncaptured"), bootTime());
    this.#flows = ["flows4", "flows6"].map((name) => flowTable(object.map(name), this.#settings));
    this.#totals = new FlowTotals(limits.forwardsMax);
    this.#devices = new Devices(object.map("devices"), object.map("interfaces"));
    // The clock goes on where an earlier process left it.
    this.#began = this.#settings.now + 1 - performance.now() / 1000;
    this.#settings.now = this.#now();
    this.#collector = new Collector(this.#tables, this.#flows, this.#now(), inherited);
    this.#events = new RingBuffer(object.map("events"));
    this.#poll = sys.poll(this.#events.fd, () => this.#drain());
    this.#timer = setInterval(() => this.#tick(), TICK_MS).unref();
    this.#readDevices();
    this.#settings.renew();
    rehearse();
  }

  /** What runs at the interfaces. */
  get program(): BpfProgram {
    return this.#installation.program;
  }

  get remarks(): readonly string[] {
    return this.attached.flatMap(({ link: { name }, mode, because }) =>
      mode === "native"
        ? []
        : [`${name}: XDP in generic mode, half as fast${because === undefined ? "" : `: native is not possible (${because})`}`],
    );
  }

  refuses(forward: Forward): string | undefined {
    for (const { family, address } of forward.backends) {
      const text = formatAddress(family, address);
      const way = this.#wayTo(text);
      if (way === undefined) return `there is no route to ${text}`;
      if (way.local) return `${text} is this machine, and XDP forwards to others only`;
    }
    return undefined;
  }

  async apply(plan: Plan): Promise<void> {
    await this.#write(plan);
    this.#last = plan;
    this.#settings.setFlag(SETTING_FLAG.ranges, this.#tables.hasRanges);
    this.#captures.widen();
    if (plan.removed.length + plan.changed.length > 0) this.#settings.renew();
    // Where there is one backend the program sees for itself, packet by packet, who goes to another one.
    if (![...this.#tables.deserted.values()].every(isSingle)) this.#leaveDeserted();
  }

  async verify(): Promise<string | undefined> {
    for (const { link } of this.attached) {
      const problem = this.#installation.check(link.ifindex);
      if (problem !== undefined) return `${link.name}: ${problem}`;
    }
    return undefined;
  }

  async rollback(): Promise<void> {
    const plan = this.#last;
    if (plan === undefined) return;
    this.#last = undefined;
    const changed = plan.changed.map(({ before, after }) => ({ before: after, after: before }));
    await this.apply({ before: plan.after, after: plan.before, added: plan.removed, removed: plan.added, changed });
    this.#last = undefined;
  }

  async stats(): Promise<DatapathStats> {
    this.#leaveDeserted();
    const forwards = new Map<string, ForwardStats>();
    this.#totals.count(this.#flows);
    for (const [id, name] of this.#tables.names.entries()) {
      if (name === undefined || this.#tables.idOf(name) !== id) continue;
      const stats = newForwardStats();
      for (const part of [this.#totals, this.#tables, this.#counts]) part.addTo(stats, id);
      forwards.set(name, stats);
    }
    return { forwards, counters: { ...this.#counts.reasons(), ...this.#collector.counters, interfacesUnserved: this.#unserved } };
  }

  async flows(limit: number, forward?: string): Promise<readonly Flow[]> {
    const found: Flow[] = [];
    const only = forward === undefined ? undefined : this.#tables.idOf(forward);
    if (forward !== undefined && only === undefined) return found;
    this.#leaveDeserted();
    for (const table of this.#flows)
      table.each((entry, isDead) => {
        if (isDead || entry.isReply || found.length >= limit || (only !== undefined && entry.forward !== only)) return;
        const other = table.other(entry);
        found.push(describeFlow(entry, other, this.#tables.names[entry.forward] ?? "", this.#collector.expires(entry, other)));
      });
    return found;
  }

  async endFlows(forward: string, backend?: string): Promise<number> {
    const id = this.#tables.idOf(forward);
    if (id === undefined) return 0;
    this.#leaveDeserted();
    return this.#collector.sweep(
      (entry) => entry.forward === id && (backend === undefined || entry.end("after", "destination") === backend),
    );
  }

  async capture(options: CaptureOptions, sink: PacketSink): Promise<Capture> {
    const capture = this.#captures.add(options, sink);
    return {
      get dropped() {
        return capture.dropped;
      },
      stop: () => {
        // What is in the ring already.
        this.#drain();
        return capture.stop();
      },
    };
  }

  async close(keep: boolean): Promise<void> {
    clearInterval(this.#timer);
    clearTimeout(this.#renewal);
    this.#settings.capture(0);
    this.#poll.stop();
    this.#neighbours.close();
    this.#events.close();
    this.#installation.close(keep);
  }

  /** What earlier changes gave back can be had again when no packet can be reading it any more: a change may have to wait for that. */
  async #write(plan: Plan): Promise<void> {
    for (let waits = REST_TICKS; ; waits--) {
      try {
        this.#tables.apply(plan);
        return;
      } catch (error) {
        if (waits === 0 || !this.#tables.isResting || !(error instanceof HostError) || error.code !== "ENOSPC") throw error;
      }
      await new Promise((done) => setTimeout(done, TICK_MS));
    }
  }

  /** Flows to backends that their forward has no more. */
  #leaveDeserted(): void {
    const { deserted } = this.#tables;
    if (deserted.size === 0) return;
    const kept = new Map([...deserted].map(([id, { backends }]) => [id, new Set(backends.map(formatBackend))]));
    this.#collector.sweep((entry) => {
      const backends = kept.get(entry.forward);
      if (backends === undefined) return false;
      const backend = entry.end("after", "destination");
      return !backends.has(backend) && !backends.has(backend.replace(/:\d+$/, "").replace(/^\[|\]$/g, ""));
    });
    deserted.clear();
  }

  #now(): number {
    return Math.floor(this.#began + performance.now() / 1000);
  }

  #tick(): void {
    this.#settings.now = this.#now();
    this.#tables.rest();
    this.#leaveDeserted();
    // A walk over everything is begun once a second at most.
    if (this.#walked === this.#now()) return;
    if (this.#collector.collect(this.#now(), PLACES_PER_TICK)) this.#walked = this.#now();
  }

  #wayTo(address: string): Way | undefined {
    if (!this.#ways.has(address)) this.#ways.set(address, this.#neighbours.wayTo(address));
    return this.#ways.get(address);
  }

  /** Also of whom another source is given: so that the first packet finds its neighbour known. */
  #sourceTo(family: Family, address: bigint): bigint | undefined {
    const known = this.#sources.get(address);
    if (known !== undefined || this.#sources.has(address)) return known;
    const way = this.#wayTo(formatAddress(family, address));
    const source = way === undefined ? undefined : parseAddress(way.source)?.value;
    this.#sources.set(address, source);
    if (way !== undefined && !way.local) this.#neighbours.resolve(way.ifindex, way.nextHop);
    return source;
  }

  /** Changes come in crowds. */
  #renewSoon(): void {
    this.#renewal ??= setTimeout(() => {
      this.#renewal = undefined;
      this.#ways.clear();
      this.#sources.clear();
      this.#follow();
      this.#readDevices();
      this.#settings.renew();
    }, RENEW_MS).unref();
  }

  /** Interfaces come, go, and are made anew under their old name. A veth that nobody asked for is left alone: see section 4.1 of the reference. */
  #follow(): void {
    const links = listInterfaces(this.#sys);
    const wanted = links.filter((link) =>
      this.#given.size > 0 ? this.#given.has(link.name) : isServed(link) && (link.kind === "" || this.#known.has(link.name)),
    );
    try {
      this.#installation.follow(wanted, new Set(links.map(({ ifindex }) => ifindex)));
    } catch (error) {
      if (!(error instanceof HostError)) throw error;
      this.#unserved++;
    }
    for (const { link } of this.attached) this.#known.add(link.name);
  }

  #readDevices(): void {
    this.#devices.set(listInterfaces(this.#sys), this.#tagged);
  }

  #drain(): void {
    this.#events.drain((record) => {
      const kind = record.getUint32(0, true);
      if (kind === EVENT.capture || kind === EVENT.sip) this.#captures.take(kind, record);
      if (kind !== EVENT.neighbour) return;
      const bytes = new Uint8Array(record.buffer, record.byteOffset + NEIGHBOUR_EVENT.address, 16);
      this.#neighbours.resolve(record.getUint32(NEIGHBOUR_EVENT.ifindex, true), formatIp(bytes, 0));
    });
  }
}

/** Of Unix time, when the machine started: the kernel's clock counts from there. */
function bootTime(): number {
  return Date.now() / 1000 - Number(process.hrtime.bigint()) / 1e9;
}

/** Of Ethernet and up, and not a part of something else. */
function isServed({ ethernet, up, kind, master }: Interface): boolean {
  return ethernet && up && master === 0 && (kind === "" || kind === "veth");
}

function servedInterfaces(sys: Sys): string[] {
  return listInterfaces(sys)
    .filter(isServed)
    .map(({ name }) => name);
}

const TICK_MS = 250;
/** After so many of them, and one that was just to come, all that was given back can be had. */
const REST_TICKS = 3;
/** A million in a second: some milliseconds. */
const PLACES_PER_TICK = 262_144;
const RENEW_MS = 20;
/** Flows without an answer stay 30 s: at this budget they fill half of the table at most. */
const UNANSWERED_SHARE = 60;
const ANSWERS_PER_SECOND = 1000;
