/** The peers of one loop: all are looked after in its rounds, and there are never too many. */
import { ProtocolError } from "../base/errors.ts";
import { type Millis, NEVER } from "../base/units.ts";
import type { Driver, Loop } from "../host/loop.ts";
import type { PeerTransports } from "../host/peer-transport.ts";
import { Peer, type PeerHost, type PeerOptions } from "./peer.ts";

const PEERS_MAX = 256;

export interface PeersOptions {
  /** Most peers at once; 256. */
  readonly peersMax?: number;
  /** Unix milliseconds. */
  readonly wallClock?: () => Millis;
}

export class Peers implements Driver, PeerHost {
  readonly transports: PeerTransports;
  readonly counters = { answered: 0, /** Limit hit. */ refused: 0 };
  readonly #loop: Loop;
  readonly #options: PeersOptions;
  readonly #peers = new Set<Peer>();
  /** Answers under way count as peers. */
  #opening = 0;

  constructor(loop: Loop, transports: PeerTransports, options: PeersOptions = {}) {
    this.#loop = loop;
    this.transports = transports;
    this.#options = options;
    loop.drive(this);
  }

  get size(): number {
    return this.#peers.size + this.#opening;
  }

  /** Answers an offer. @throws ProtocolError when it cannot be answered or there are too many peers; HostError when there are no sockets */
  async answer(offer: string, options: PeerOptions): Promise<Peer> {
    if (this.size >= (this.#options.peersMax ?? PEERS_MAX)) {
      this.counters.refused++;
      throw new ProtocolError("webrtc.full", "too many WebRTC peers are connected");
    }
    this.#opening++;
    try {
      const peer = await Peer.answer(this, offer, options);
      this.#peers.add(peer);
      this.counters.answered++;
      this.wake();
      return peer;
    } finally {
      this.#opening--;
    }
  }

  now(): Millis {
    return this.#loop.now();
  }

  wallClock(): Millis {
    return this.#options.wallClock?.() ?? Date.now();
  }

  wake(): void {
    this.#loop.wake();
  }

  gone(peer: Peer): void {
    this.#peers.delete(peer);
  }

  advance(now: Millis): Millis {
    let deadline = NEVER;
    for (const peer of this.#peers) deadline = Math.min(deadline, peer.advance(now));
    return deadline;
  }

  close(): void {
    for (const peer of this.#peers) peer.close();
  }
}
