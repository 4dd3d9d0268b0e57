/**
 * UDP in, a link out, at the near end: each application that sends has a link of its own, so that the far end sees them as different peers.
 *
 *   application ─ UDP ─▶ its link ═══▶ far end (link-target.ts)
 */
import type { Batch } from "../base/batch.ts";
import type { Millis } from "../base/units.ts";
import type { Carrier, Link } from "../host/link.ts";
import type { Driver, Loop, UdpSocket } from "../host/loop.ts";
import { type CarrierCounters, CONVERSATION_IDLE_MS, CONVERSATIONS_MAX, type HostPort, newCarrierCounters } from "./settings.ts";

export interface LinkSettings {
  /** Near end: where datagrams are taken. Far end: what the carrier listens at. */
  readonly local: HostPort;
  /** Near end: the far end. Far end: where datagrams go. A literal address. */
  readonly remote: HostPort;
  readonly socketBufferBytes?: number;
  readonly conversationsMax?: number;
  readonly conversationIdleMs?: number;
}

interface Application {
  readonly link: Link;
  usedAt: Millis;
}

export class LinkApplications implements Driver {
  readonly counters: CarrierCounters = newCarrierCounters();
  readonly #carrier: Carrier;
  readonly #settings: LinkSettings;
  readonly #udp: UdpSocket;
  /** By peer of the UDP socket. */
  readonly #applications = new Map<number, Application>();
  #sweepAt: Millis = 0;

  /** @throws HostError when the address cannot be had */
  constructor(loop: Loop, carrier: Carrier, settings: LinkSettings) {
    this.#carrier = carrier;
    this.#settings = settings;
    const { local, conversationsMax = CONVERSATIONS_MAX, socketBufferBytes } = settings;
    const handler = { receive: (now: Millis, batch: Batch) => this.#receive(now, batch), writable: () => undefined };
    const buffer = socketBufferBytes === undefined ? {} : { socketBufferBytes };
    this.#udp = loop.udp({ ...local, peersMax: conversationsMax * 2, ...buffer }, handler);
    loop.drive(this);
  }

  get local(): UdpSocket["local"] {
    return this.#udp.local;
  }

  advance(now: Millis): Millis {
    if (now >= this.#sweepAt) {
      this.#sweepAt = now + SWEEP_MS;
      const { conversationIdleMs = CONVERSATION_IDLE_MS } = this.#settings;
      for (const [peer, { link, usedAt }] of this.#applications) {
        if (now - usedAt < conversationIdleMs) continue;
        link.close();
        this.#applications.delete(peer);
        this.#udp.addresses.release(peer);
      }
    }
    return this.#sweepAt;
  }

  #receive(now: Millis, batch: Batch): void {
    const { length } = batch;
    for (let i = 0; i < length; ) {
      const peer = batch.peer[i]!;
      const first = i++;
      while (i < length && batch.peer[i] === peer) i++;
      const application = this.#applicationOf(now, peer);
      if (application === undefined) continue;
      application.usedAt = now;
      batch.length = i;
      const sent = application.link.send(batch, first);
      batch.length = length;
      this.counters.carriedOut += sent - first;
      this.counters.droppedUnconnected += i - sent;
    }
  }

  #applicationOf(now: Millis, peer: number): Application | undefined {
    const known = this.#applications.get(peer);
    if (known !== undefined) return known;
    const { conversationsMax = CONVERSATIONS_MAX, remote } = this.#settings;
    if (this.#applications.size >= conversationsMax) {
      this.counters.conversationLimitHits++;
      return undefined;
    }
    const back = (_now: Millis, batch: Batch): void => {
      made.usedAt = _now;
      batch.peer.fill(peer, 0, batch.length);
      const sent = this.#udp.send(batch, 0);
      this.counters.carriedIn += sent;
      this.counters.droppedBusy += batch.length - sent;
    };
    const made: Application = { link: this.#carrier.dial(remote, {}, { receive: back, writable: () => undefined }), usedAt: now };
    this.#udp.addresses.hold(peer);
    this.#applications.set(peer, made);
    return made;
  }
}

const SWEEP_MS: Millis = 1000;
