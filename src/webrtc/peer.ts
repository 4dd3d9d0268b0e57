/**
 * A browser at the other end: an offer comes in, an answer goes out, and media flows through a Session over a PeerTransport.
 *
 *   offer ─▶ Peer.answer ─▶ answer            PeerTransport ◀─ sendRtp, sendRtcp ─ transmit ┐
 *                                                  └─ rtp, rtcp ─▶ Session ─▶ sink          │
 *                                             Loop: advance ─────────┘──────────────────────┘
 *
 * Source: RFC 8829 section 5.3 for answers. We never offer: WHIP and WHEP servers have no need to.
 */
import { ProtocolError } from "../base/errors.ts";
import { Prng } from "../base/prng.ts";
import { type Micros, type Millis, NEVER } from "../base/units.ts";
import type { PeerTransport, PeerTransportHandler, PeerTransports } from "../host/peer-transport.ts";
import { isRtcp } from "../media/rtp/rtcp-header.ts";
import { agree, formatAnswer } from "../media/sdp/answer.ts";
import type { Negotiated, Policy } from "../media/sdp/negotiation.ts";
import { parseSessionDescription, type SessionDescription } from "../media/sdp/session-description.ts";
import { type TransportDescription, transportDescription } from "../media/sdp/transport-description.ts";
import type { PacketSink } from "./inbound-stream.ts";
import type { Encoder, OutboundStream } from "./outbound-stream.ts";
import type { SenderOptions } from "./sender.ts";
import { DATAGRAM_BYTES, Session } from "./session.ts";

/** Tuning: datagrams of one round; the rest follow in the next, which comes at once. */
const DATAGRAMS_PER_ROUND = 256;

/** What a peer needs of who keeps it (peers.ts). */
export interface PeerHost {
  readonly transports: PeerTransports;
  now(): Millis;
  /** Unix milliseconds. */
  wallClock(): Millis;
  /** Calls `advance` of all peers in the next round. */
  wake(): void;
  /** The peer is over. */
  gone(peer: Peer): void;
}

export interface PeerOptions {
  readonly policy: Policy;
  /** Seeds SSRCs and sequence numbers; 32 random bits. */
  readonly seed: number;
  readonly sink?: PacketSink;
  /** What is sent to a section the peer wants to receive, undefined = nothing. */
  readonly source?: (section: Negotiated) => OutboundSource | undefined;
  readonly sender?: Omit<SenderOptions, "congestionFeedback" | "overheadBytes">;
  readonly connected?: (peer: Peer, now: Millis) => void;
  /** It is over, for this reason; not called for what `close` did. */
  readonly closed?: (peer: Peer, reason: string) => void;
}

export interface OutboundSource {
  readonly encoder: Encoder;
  /** Rates of media, bit/s. */
  readonly min: number;
  readonly max: number;
}

/** A packet counter in place of media: for whoever only wants to measure. */
const nowhere: PacketSink = { packet() {} };

export class Peer implements PeerTransportHandler {
  /** The transport is up: what is sent arrives. */
  up = false;
  /** SDP to give back. */
  readonly answer: string;
  readonly session: Session;
  readonly transport: PeerTransport;
  /** What was agreed, by section. */
  readonly sections: readonly Negotiated[];
  /** Streams that are sent, in the order of their sections. */
  readonly outbound: readonly OutboundStream[];
  readonly #host: PeerHost;
  readonly #options: PeerOptions;
  readonly #bytes = new Uint8Array(DATAGRAM_BYTES);
  readonly #view = new DataView(this.#bytes.buffer);
  #open = true;

  /** Answers an offer. @throws ProtocolError when it is no offer one can answer; HostError when there are no sockets */
  static async answer(host: PeerHost, text: string, options: PeerOptions): Promise<Peer> {
    const offer = parseSessionDescription(text);
    const remote = offer === undefined ? undefined : transportDescription(offer);
    if (offer === undefined || remote === undefined) throw new ProtocolError("sdp.malformed", "no session description with ICE and DTLS");
    if (remote.setup === "passive")
      throw new ProtocolError("sdp.setup", "the offer must be able to open the DTLS connection (a=setup:actpass)");
    const agreed = agree(offer, options.policy);
    if (agreed.every((section) => section === undefined))
      throw new ProtocolError("sdp.nothing", "the offer has no media that is taken here");
    const relay = new Relay();
    const transport = await host.transports.open(relay);
    const peer = new Peer(host, offer, agreed, transport, options);
    relay.to = peer;
    transport.start(remote);
    return peer;
  }

  private constructor(
    host: PeerHost,
    offer: SessionDescription,
    agreed: readonly (Negotiated | undefined)[],
    transport: PeerTransport,
    options: PeerOptions,
  ) {
    const { seed, sink = nowhere, source, sender } = options;
    this.#host = host;
    this.#options = options;
    this.transport = transport;
    this.sections = agreed.filter((section) => section !== undefined);
    const prng = new Prng(seed);
    const cname = prng.u32().toString(36);
    const ssrc = (): number => prng.u32() || 1;
    const now = this.now();
    this.session = new Session({
      sections: this.sections,
      ssrc: ssrc(),
      cname,
      unixEpoch: host.wallClock() - now / 1000,
      overheadBytes: transport.overheadBytes,
      sink,
      prng,
      sender: source === undefined ? undefined : (sender ?? {}),
    });
    const streams = new Map<Negotiated, OutboundStream>();
    for (const section of this.sections) {
      const given = section.direction === "sendonly" ? undefined : source?.(section);
      if (given === undefined) continue;
      const numbers = { firstSequence: prng.below(32_768), firstRtxSequence: prng.below(32_768) };
      const options = { ssrc: ssrc(), rtxSsrc: ssrc(), section, ...numbers };
      const stream = this.session.sender?.add(now, options, { min: given.min, max: given.max }, given.encoder);
      if (stream !== undefined) streams.set(section, stream);
    }
    this.outbound = [...streams.values()];
    this.answer = formatAnswer(offer, agreed, {
      origin: { id: String(1 + prng.u32()), version: 1 },
      transport: transport.local,
      stream: (section) => {
        const stream = streams.get(section);
        return stream === undefined ? undefined : { ssrc: stream.ssrc, rtxSsrc: stream.rtxSsrc, cname };
      },
    });
  }

  /** The time of the session's clock. */
  now(): Micros {
    return Math.round(this.#host.now() * 1000);
  }

  /** Looks after what was queued. */
  wake(): void {
    this.#host.wake();
  }

  connected(now: Millis): void {
    this.up = true;
    this.session.connect(Math.round(now * 1000));
    this.#options.connected?.(this, now);
    this.wake();
  }

  rtp(now: Millis, bytes: Uint8Array, view: DataView): void {
    this.session.receiveRtp(Math.round(now * 1000), bytes, view, bytes.length);
    this.wake();
  }

  rtcp(now: Millis, bytes: Uint8Array, view: DataView): void {
    this.session.receiveRtcp(Math.round(now * 1000), bytes, view, bytes.length);
    this.wake();
  }

  closed(_now: Millis, reason: string): void {
    if (!this.#open) return;
    this.#open = false;
    this.#host.gone(this);
    this.#options.closed?.(this, reason);
  }

  /** Does what is due; answers when it wants to be called next. */
  advance(now: Millis): Millis {
    if (!this.#open) return NEVER;
    const at = Math.round(now * 1000);
    const { session } = this;
    session.advance(at);
    for (let sent = 0; sent < DATAGRAMS_PER_ROUND; sent++) {
      const length = session.transmit(at, this.#view);
      if (length === 0) return session.deadline(at) / 1000;
      if (isRtcp(this.#bytes, 0, length)) this.transport.sendRtcp(this.#bytes, 0, length);
      else this.transport.sendRtp(this.#bytes, 0, length);
    }
    return now;
  }

  close(): void {
    if (!this.#open) return;
    this.#open = false;
    this.#host.gone(this);
    this.transport.close();
  }

  /** New ICE credentials of the peer; answers ours, with candidates. */
  restart(remote: Pick<TransportDescription, "usernameFragment" | "password">): Promise<TransportDescription> {
    return this.transport.restart(remote);
  }
}

/** Stands in for the peer until it is made: its answer needs the transport first. */
class Relay implements PeerTransportHandler {
  to: PeerTransportHandler | undefined;

  connected(now: Millis): void {
    this.to?.connected(now);
  }

  rtp(now: Millis, bytes: Uint8Array, view: DataView): void {
    this.to?.rtp(now, bytes, view);
  }

  rtcp(now: Millis, bytes: Uint8Array, view: DataView): void {
    this.to?.rtcp(now, bytes, view);
  }

  closed(now: Millis, reason: string): void {
    this.to?.closed(now, reason);
  }
}
