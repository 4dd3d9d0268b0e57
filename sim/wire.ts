/**
 * What crosses a virtual network, read as kcptun lays it out (reference kcptun.md 2.4, 2.5 and 6): for tests of options that show on the wire.
 * Only for cipher "null", whose datagrams are the body, and for streams without compression.
 */
import { FecDecoder } from "../src/fec/decoder.ts";
import { FecEncoder } from "../src/fec/encoder.ts";
import { ACK, CMD, HEADER_BYTES, LEN, looksLikeKcp, PUSH, SN, WND } from "../src/kcp/segment.ts";
import { HEADER_BYTES as FRAME_HEADER_BYTES } from "../src/smux/frame.ts";
import type { VirtualNetwork } from "./virtual-network.ts";

export interface Datagram {
  readonly at: number;
  readonly bytes: number;
  readonly kind: "kcp" | "data" | "parity";
  /** Sequence numbers of its PUSH segments, and of its ACKs. */
  readonly pushed: readonly number[];
  readonly acked: readonly number[];
  /** Receive window of its last segment, −1 of parity. */
  readonly window: number;
}

export interface Frame {
  readonly version: number;
  readonly command: number;
  readonly payload: Uint8Array;
}

/** What one host sends, from now on. */
export class Wire {
  readonly datagrams: Datagram[] = [];
  readonly #segments = new Map<number, Uint8Array>();

  constructor(network: VirtualNetwork, from: string) {
    const send = network.send.bind(network);
    network.send = (sender, fromPort, to, toPort, bytes, start, end) => {
      if (sender === from) this.#record(network.now, bytes.slice(start, end));
      send(sender, fromPort, to, toPort, bytes, start, end);
    };
  }

  get bytes(): number {
    return this.datagrams.reduce((sum, { bytes }) => sum + bytes, 0);
  }

  get largest(): number {
    return Math.max(...this.datagrams.map(({ bytes }) => bytes));
  }

  count(kind: Datagram["kind"]): number {
    return this.datagrams.filter((datagram) => datagram.kind === kind).length;
  }

  /** The stream as far as it was sent without a gap. */
  get stream(): Uint8Array {
    const pieces: Uint8Array[] = [];
    for (let sn = 0; this.#segments.has(sn); sn++) pieces.push(this.#segments.get(sn)!);
    return new Uint8Array(Buffer.concat(pieces));
  }

  /** The whole smux frames in it. */
  get frames(): Frame[] {
    const { stream } = this;
    const view = new DataView(stream.buffer);
    const frames: Frame[] = [];
    for (let at = 0; at + FRAME_HEADER_BYTES <= stream.length; ) {
      const end = at + FRAME_HEADER_BYTES + view.getUint16(at + 2, true);
      if (end > stream.length) break;
      frames.push({ version: stream[at]!, command: stream[at + 1]!, payload: stream.subarray(at + FRAME_HEADER_BYTES, end) });
      at = end;
    }
    return frames;
  }

  /** Times and sizes of all datagrams: two runs that differ in nothing have the same. */
  get trace(): string {
    return this.datagrams.map(({ at, bytes }) => `${at}:${bytes}`).join(" ");
  }

  #record(at: number, bytes: Uint8Array): void {
    const view = new DataView(bytes.buffer);
    const fec = FecDecoder.isFec(view, 0, bytes.length);
    if (fec && !FecDecoder.isData(view, 0, bytes.length)) {
      this.datagrams.push({ at, bytes: bytes.length, kind: "parity", pushed: [], acked: [], window: -1 });
      return;
    }
    const [pushed, acked]: [number[], number[]] = [[], []];
    let window = -1;
    let offset = fec ? FecEncoder.headBytes : 0;
    while (looksLikeKcp(view, offset, bytes.length - offset)) {
      const sn = view.getUint32(offset + SN, true);
      const end = offset + HEADER_BYTES + view.getUint32(offset + LEN, true);
      if (view.getUint8(offset + CMD) === PUSH) {
        pushed.push(sn);
        if (!this.#segments.has(sn)) this.#segments.set(sn, bytes.slice(offset + HEADER_BYTES, end));
      } else if (view.getUint8(offset + CMD) === ACK) acked.push(sn);
      window = view.getUint16(offset + WND, true);
      offset = end;
    }
    this.datagrams.push({ at, bytes: bytes.length, kind: fec ? "data" : "kcp", pushed, acked, window });
  }
}
