/**
 * A WebRTC session at each end of an emulated path, in virtual time: one sends a synthetic encoder's video, the other receives.
 *
 *   encoder ─▶ Session ─▶ link ─▶ Session ─▶ what arrived
 *                 ◀────── link ◀─────
 */
import { Prng } from "../../src/base/prng.ts";
import type { BitsPerSecond, Bytes, Micros, Millis } from "../../src/base/units.ts";
import { EmulatedLink } from "../../src/emulator/link.ts";
import { parseLink } from "../../src/emulator/parse.ts";
import { isRtcp } from "../../src/media/rtp/rtcp-header.ts";
import { type CongestionFeedbackKind, type Negotiated, negotiate } from "../../src/media/sdp/negotiation.ts";
import { parseSessionDescription } from "../../src/media/sdp/session-description.ts";
import { PAYLOAD_MAX } from "../../src/webrtc/outbound-stream.ts";
import { DATAGRAM_BYTES, Session, type SessionOptions } from "../../src/webrtc/session.ts";
import { type Member, World } from "../world.ts";

const FRAME_TIME: Micros = 33_333;
const OVERHEAD_BYTES: Bytes = 44;
const UNIX_EPOCH: Millis = 1_700_000_000_000;

export interface CallOptions {
  /** Links as text for `parseLink`. */
  readonly forward: string;
  readonly backward?: string;
  readonly seed: number;
  readonly congestionFeedback?: CongestionFeedbackKind;
  readonly retransmission?: boolean;
  readonly reducedSize?: boolean;
  /** false: the peer knows no abs-send-time. */
  readonly absSendTime?: boolean;
  readonly sender?: NonNullable<SessionOptions["sender"]>;
  readonly max?: BitsPerSecond;
}

/** The video section of an offer as browsers make it. */
export function videoSection(
  options: Pick<CallOptions, "congestionFeedback" | "retransmission" | "reducedSize" | "absSendTime">,
): Negotiated {
  const { congestionFeedback = "transport-cc", retransmission = true, reducedSize = true, absSendTime = true } = options;
  const lines = [
    ...["v=0", "o=- 1 1 IN IP4 127.0.0.1", "s=-", "t=0 0", "a=group:BUNDLE 0", "m=video 9 UDP/TLS/RTP/SAVPF 96 97"],
    ...["a=mid:0", "a=sendrecv", "a=rtcp-mux", ...(reducedSize ? ["a=rtcp-rsize"] : [])],
    ...(absSendTime ? ["a=extmap:2 http://www.webrtc.org/experiments/rtp-hdrext/abs-send-time"] : []),
    "a=extmap:4 http://www.ietf.org/id/draft-holmer-rmcat-transport-wide-cc-extensions-01",
    ...["a=rtpmap:96 VP8/90000", "a=rtpmap:97 rtx/90000", "a=fmtp:97 apt=96"],
    ...["goog-remb", "transport-cc", "ack ccfb", "ccm fir", "nack", "nack pli"].map((value) => `a=rtcp-fb:96 ${value}`),
  ];
  const { media } = parseSessionDescription(`${lines.join("\r\n")}\r\n`)!;
  return negotiate(media[0]!, { encodings: { video: ["VP8"] }, congestionFeedback: [congestionFeedback], retransmission })!;
}

export class Call implements Member {
  readonly world = new World();
  readonly forward: EmulatedLink;
  readonly backward: EmulatedLink;
  readonly sender: Session;
  readonly receiver: Session;
  /** Payloads by the number they were made with: made, and arrived so often. */
  made = 0;
  readonly arrivals = new Map<number, number>();
  arrivedBytes: Bytes = 0;
  keyFrameRequests = 0;
  encoderRate: BitsPerSecond = 0;
  /** Of the encoder's rate, to save by dropping frames. */
  windowReduction = 0;
  filming = true;
  readonly #bytes = new Uint8Array(DATAGRAM_BYTES);
  readonly #view = new DataView(this.#bytes.buffer);
  readonly #payload = new Uint8Array(PAYLOAD_MAX);
  #nextFrame: Micros = 0;
  #now: Micros = 0;
  #timestamp = 0;

  constructor(options: CallOptions) {
    const { seed, forward, backward = forward, max = 5_000_000 } = options;
    this.forward = new EmulatedLink(parseLink(forward), seed);
    this.backward = new EmulatedLink(parseLink(backward), seed + 1);
    const section = videoSection(options);
    const common = { sections: [section], cname: "call", unixEpoch: UNIX_EPOCH, overheadBytes: OVERHEAD_BYTES };
    this.sender = new Session({ ...common, ssrc: 1, prng: new Prng(seed + 2), sink: { packet() {} }, sender: options.sender ?? {} });
    this.receiver = new Session({
      ...common,
      ssrc: 2,
      prng: new Prng(seed + 3),
      sink: { packet: (...given) => this.#take(given[2], given[3]) },
    });
    this.sender.sender!.add(
      0,
      // Numbers wrap soon.
      { ssrc: 10, rtxSsrc: 11, section, firstSequence: 65_400, firstRtxSequence: 65_500 },
      { min: 30_000, max },
      {
        onBitrate: (rate, windowReduction) => {
          this.encoderRate = rate;
          this.windowReduction = windowReduction;
        },
        onKeyFrameRequest: () => this.keyFrameRequests++,
      },
    );
    this.sender.connect(0);
    this.receiver.connect(0);
    this.world.add(this);
  }

  run(until: Millis): void {
    this.world.run(until);
  }

  /** Wire rate that arrived, since a call of this before. */
  turn(now: Millis): void {
    const at = Math.round(now * 1000);
    this.#now = at;
    this.#drain(now, this.forward, this.receiver);
    this.#drain(now, this.backward, this.sender);
    if (at >= this.#nextFrame) this.#encode(at);
    this.sender.advance(at);
    this.receiver.advance(at);
    this.#transmit(now, this.sender, this.forward);
    this.#transmit(now, this.receiver, this.backward);
  }

  deadline(): Millis {
    const sessions = Math.min(this.sender.deadline(this.#now), this.receiver.deadline(this.#now), this.#nextFrame);
    const own = Math.max(Math.ceil(sessions), this.#now + 1) / 1000;
    return Math.min(own, this.forward.deadline(), this.backward.deadline());
  }

  get outbound() {
    return this.sender.sender!.streams[0]!;
  }

  get inbound() {
    return this.receiver.receiver.stream(10)!;
  }

  #drain(now: Millis, link: EmulatedLink, to: Session): void {
    const at = Math.round(now * 1000);
    for (let length = link.transmit(now, this.#bytes, 0); length > 0; length = link.transmit(now, this.#bytes, 0)) {
      const end = length - OVERHEAD_BYTES;
      if (isRtcp(this.#bytes, 0, end)) to.receiveRtcp(at, this.#bytes, this.#view, end);
      else to.receiveRtp(at, this.#bytes, this.#view, end);
    }
  }

  #transmit(now: Millis, from: Session, link: EmulatedLink): void {
    const at = Math.round(now * 1000);
    for (let length = from.transmit(at, this.#view); length > 0; length = from.transmit(at, this.#view)) {
      link.receive(now, this.#bytes, 0, length + OVERHEAD_BYTES, 0);
    }
  }

  #encode(now: Micros): void {
    this.#nextFrame += FRAME_TIME;
    this.#timestamp += 3000;
    const { sender } = this.sender;
    let left = Math.round((this.encoderRate * FRAME_TIME) / 8e6);
    while (this.filming && left > 0) {
      const length = Math.max(8, Math.min(left, PAYLOAD_MAX));
      left -= length;
      new DataView(this.#payload.buffer).setUint32(0, this.made);
      if (sender!.send(now, this.outbound, this.#payload, 0, length, this.#timestamp, left <= 0)) this.made++;
    }
  }

  #take(packet: { readonly payloadStart: number; readonly payloadEnd: number }, bytes: Uint8Array): void {
    const number = new DataView(bytes.buffer, bytes.byteOffset).getUint32(packet.payloadStart);
    this.arrivals.set(number, (this.arrivals.get(number) ?? 0) + 1);
    this.arrivedBytes += packet.payloadEnd - packet.payloadStart;
  }
}
