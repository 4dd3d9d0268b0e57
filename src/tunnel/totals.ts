/**
 * What a tunnel has counted since its process began, and what it holds now: for metrics, `longhaul top`, snmplog and SIGUSR1.
 *
 * Sessions and sockets are asked when a snapshot is taken; one that ends leaves its counts here. Nothing is added on the packet's path.
 *
 *   counted   module → counter → value       never falls; modules are named as their rooms: kcp, fec, parity, smux, wire, udp, …
 *   now       gauges of what lives
 *   rtt       round trips of all sessions by RTT_BOUNDS_MS
 */
import type { Bytes, Millis } from "../base/units.ts";
import type { CipherStats } from "../cipher/cipher.ts";
import { RTT_BOUNDS_MS } from "../kcp/rtt.ts";
import { kernels } from "../kernel/kernels.ts";
import type { Endpoint } from "./endpoint.ts";
import type { Session } from "./session.ts";

export type Counts = Readonly<Record<string, number>>;

export interface TunnelTotals {
  readonly role: "client" | "server";
  readonly counted: Readonly<Record<string, Counts>>;
  readonly now: TunnelGauges;
  readonly rtt: RttHistogram;
}

export interface TunnelGauges {
  readonly sessions: number;
  /** Most sessions there were at once. */
  readonly sessionsMost: number;
  readonly streams: number;
  /** Segments that wait to be sent, and that were sent and are not acknowledged. */
  readonly waitingSegments: number;
  readonly inFlightSegments: number;
  /** Received bytes that wait to be read. */
  readonly readableBytes: Bytes;
  /** Memory held by KCP and FEC for payloads. */
  readonly heldBytes: Bytes;
  readonly fecOpenGroups: number;
  /** The highest of all sessions, −1 while there is none. */
  readonly fecNewestGroup: number;
  /** Addresses that the sockets remember. */
  readonly peers: number;
  /** Bytes a second of an encoder that would fit the link, 0 while all fits. */
  readonly rtmpFits: Bytes;
}

export interface RttHistogram {
  /** Samples by RTT_BOUNDS_MS, the last those above all of them. */
  readonly counts: readonly number[];
  readonly sumMs: Millis;
}

type Sums = Record<string, Record<string, number>>;

export class Totals {
  readonly role: "client" | "server";
  /** See TunnelGauges; set by who knows it. */
  rtmpFits: Bytes = 0;
  /** Those in use and those that were. */
  readonly #ciphers: CipherStats[] = [];
  readonly #live = new Set<Session>();
  readonly #endpoints = new Set<Endpoint>();
  readonly #ended: Sums = {};
  readonly #endedRtt = { counts: RTT_BOUNDS_MS.map(() => 0).concat(0), sumMs: 0 };
  #started = 0;
  #most = 0;

  constructor(role: "client" | "server") {
    this.role = role;
  }

  /** Its counts are part of every snapshot from now on. */
  cipherAdded(stats: CipherStats): void {
    this.#ciphers.push(stats);
  }

  /** Sessions that live, oldest first. */
  get sessions(): ReadonlySet<Session> {
    return this.#live;
  }

  /** Gives the session its number. */
  sessionStarted(session: Session): void {
    session.id = ++this.#started;
    this.#live.add(session);
    this.#most = Math.max(this.#most, this.#live.size);
  }

  sessionEnded(session: Session): void {
    if (!this.#live.delete(session)) return;
    addSession(this.#ended, session);
    addRtt(this.#endedRtt, session);
  }

  endpointOpened(endpoint: Endpoint): void {
    this.#endpoints.add(endpoint);
  }

  endpointClosed(endpoint: Endpoint): void {
    if (this.#endpoints.delete(endpoint)) addEndpoint(this.#ended, endpoint);
  }

  /**
   * A copy; `limits` counts what the owner of the sessions refused or cut, `channels` what became of forwards, targets and flows, `users`
   * what finding out users took.
   */
  snapshot(limits: Counts = {}, channels: object = {}, users: Counts = {}): TunnelTotals {
    const counted: Sums = Object.fromEntries(Object.entries(this.#ended).map(([module, counts]) => [module, { ...counts }]));
    const rtt = { counts: [...this.#endedRtt.counts], sumMs: this.#endedRtt.sumMs };
    for (const session of this.#live) {
      addSession(counted, session);
      addRtt(rtt, session);
    }
    for (const endpoint of this.#endpoints) addEndpoint(counted, endpoint);
    for (const cipher of this.#ciphers) add(counted, "cipher", cipher);
    add(counted, "channels", channels);
    add(counted, "sessions", { started: this.#started, ended: this.#started - this.#live.size, ...limits });
    add(counted, "users", users);
    add(counted, "kernel", { regionsRefused: kernels()?.refused ?? 0 });
    return { role: this.role, counted, now: this.#gauges(), rtt };
  }

  #gauges(): TunnelGauges {
    const now = { streams: 0, waitingSegments: 0, inFlightSegments: 0, readableBytes: 0, heldBytes: 0, fecOpenGroups: 0 };
    let fecNewestGroup = -1;
    let peers = 0;
    for (const { kcp, transport, streams } of this.#live) {
      const { decoder } = transport;
      now.streams += streams.size;
      now.inFlightSegments += kcp.stats.inFlight;
      now.waitingSegments += kcp.waitSnd - kcp.stats.inFlight;
      now.readableBytes += kcp.readable;
      now.heldBytes += kcp.bytesHeld + decoder.bytesHeld;
      now.fecOpenGroups += decoder.openGroups;
      fecNewestGroup = Math.max(fecNewestGroup, decoder.newestGroup);
    }
    for (const { socket } of this.#endpoints) peers += socket.addresses.counters.peers;
    return { ...now, sessions: this.#live.size, sessionsMost: this.#most, fecNewestGroup, peers, rtmpFits: this.rtmpFits };
  }
}

function addSession(sums: Sums, session: Session): void {
  const { kcp, transport, layers } = session;
  const { sentDatagrams, sentBytes, receivedDatagrams, receivedBytes, cipherBytes, limit } = transport;
  add(sums, "kcp", kcp.stats);
  add(sums, "fec", transport.decoder.stats);
  if (transport.encoder !== undefined) add(sums, "parity", transport.encoder.stats);
  const { sentDatagrams: datagrams = 0, sentBytes: bytes = 0 } = transport.copies ?? {};
  add(sums, "copies", { datagrams, bytes: bytes + datagrams * cipherBytes });
  if (layers !== undefined) add(sums, "smux", layers.smux.stats);
  const { extension } = transport;
  if (extension !== undefined) {
    const { errors, unknownTypes, outbox } = extension;
    add(sums, "extension", extension.negotiation.stats);
    add(sums, "extension", { errors, unknownTypes, outboxDropped: outbox.dropped, flowErrors: session.flows?.errors ?? 0 });
    if (session.flows !== undefined) add(sums, "reassembly", session.flows.reassembly.stats);
  }
  add(sums, "wire", {
    sentDatagrams,
    receivedDatagrams,
    sentBytes: sentBytes + sentDatagrams * cipherBytes,
    receivedBytes: receivedBytes + receivedDatagrams * cipherBytes,
    rateLimitWaits: limit?.waits ?? 0,
  });
}

function addEndpoint(sums: Sums, { counters, socket }: Endpoint): void {
  const { recycled, full } = socket.addresses.counters;
  add(sums, "endpoint", counters);
  add(sums, "udp", socket.counters);
  add(sums, "addresses", { recycled, full });
}

function addRtt(into: { counts: number[]; sumMs: number }, { kcp }: Session): void {
  const { rttCounts, rttSum } = kcp.stats;
  for (let i = 0; i < rttCounts.length; i++) into.counts[i]! += rttCounts[i]!;
  into.sumMs += rttSum;
}

/** Adds the numbers that `counts` itself holds; getters of its class are no counters. */
function add(sums: Sums, module: string, counts: object): void {
  sums[module] ??= {};
  const sum = sums[module];
  // The engine walks an object's own fields this way without making a list of them: there may be thousands of sessions.
  for (const name in counts) {
    const value = (counts as Record<string, unknown>)[name];
    if (typeof value === "number") sum[name] = (sum[name] ?? 0) + value;
  }
}
