/** Counters of one conversation, named as kcptun's SNMP log names them; what only this core counts is below the line. */
import type { Bytes, Millis } from "../base/units.ts";
import type { Congestion } from "./congestion.ts";
import type { Rtt } from "./rtt.ts";
import type { SendWindow } from "./send-window.ts";

export class KcpStats {
  /** Packets and their bytes, KCP headers included, layers below not. */
  inPkts = 0;
  outPkts = 0;
  inBytes: Bytes = 0;
  outBytes: Bytes = 0;
  /** Segments of every command. */
  inSegs = 0;
  outSegs = 0;
  /** Bytes of the application. */
  bytesSent: Bytes = 0;
  bytesReceived: Bytes = 0;
  /** Segments sent again: fast + early + lost. */
  retransSegs = 0;
  fastRetransSegs = 0;
  earlyRetransSegs = 0;
  /** Segments whose time was up. */
  lostSegs = 0;
  /** Data that came a second time. */
  repeatSegs = 0;
  /** Packets that were damaged, foreign or shorter than a header. */
  inErrs = 0;

  // ── limits and hostile input ──
  /** Data beyond the receive window. */
  outsideSegs = 0;
  /** Segments with more data than a packet of a peer can hold. */
  oversizedSegs = 0;
  /** `una` beyond what was sent: a peer of an earlier life, or forged. It was not believed. */
  unaErrs = 0;
  /** ACKs pushed out of a full list. */
  ackOverflows = 0;
  /** `send` calls refused because the window was full. */
  sendRefused = 0;

  /** Times that bursts of a peer without a rate of its own ran over a queue: what it may send at once is limited then (credit.ts). */
  peerOverflows = 0;

  // ── for rate controllers ──
  /** Data acknowledged by the peer. */
  ackedBytes: Bytes = 0;

  readonly #rtt: Rtt;
  readonly #congestion: Congestion;
  readonly #window: SendWindow;

  constructor(rtt: Rtt, congestion: Congestion, window: SendWindow) {
    this.#rtt = rtt;
    this.#congestion = congestion;
    this.#window = window;
  }

  /** A packet was written. */
  wrote(length: Bytes): void {
    this.outPkts++;
    this.outBytes += length;
  }

  get srtt(): Millis {
    return this.#rtt.srtt;
  }
  get rttvar(): Millis {
    return this.#rtt.rttvar;
  }
  get rto(): Millis {
    return this.#rtt.rto;
  }
  /** Newest sample, −1 before the first. */
  get latestRtt(): Millis {
    return this.#rtt.latest;
  }
  /** Shortest sample, −1 before the first. */
  get leastRtt(): Millis {
    return this.#rtt.least;
  }
  /** Samples by RTT_BOUNDS_MS (rtt.ts), borrowed, and their sum. */
  get rttCounts(): Uint32Array {
    return this.#rtt.counts;
  }
  get rttSum(): Millis {
    return this.#rtt.sum;
  }
  /** Segments; 0 when nc = 1. */
  get cwnd(): number {
    return this.#congestion.cwnd;
  }
  get ssthresh(): number {
    return this.#congestion.ssthresh;
  }
  get rmtWnd(): number {
    return this.#window.rmtWnd;
  }
  get sndUna(): number {
    return this.#window.una;
  }
  get sndNxt(): number {
    return this.#window.nxt;
  }
  /** Segments sent and not passed by `una`. */
  get inFlight(): number {
    return this.#window.inFlight;
  }
}
