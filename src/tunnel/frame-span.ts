/**
 * Smux frames of one stream, composed where KCP keeps them until they are acknowledged: the socket is read straight into the payloads' places.
 *
 *   places of KCP   │ segment        │ segment        │ segment  …          anywhere in its memory
 *   frames          │h│ payload          │h│ payload         │h│ pay…        a header may be cut by the end of a segment
 *
 *   lay → `payload` → the caller fills its first n bytes → finish
 */
import { Pieces } from "../base/pieces.ts";
import type { Bytes, Millis } from "../base/units.ts";
import { PIECES_MAX } from "../host/loop.ts";
import type { Kcp } from "../kcp/kcp.ts";
import { HEADER_BYTES } from "../smux/frame.ts";
import type { SmuxSession } from "../smux/session.ts";

/** Tuning: most payload of a span, and most frames. */
export const SPAN_BYTES: Bytes = 65_536;
const FRAMES_MAX = 64;

export class FrameSpan {
  /** Where payload goes, in order. */
  readonly payload = new Pieces(PIECES_MAX);
  readonly #places = new Pieces(PIECES_MAX);
  readonly #header = new Uint8Array(HEADER_BYTES);
  readonly #headerView = new DataView(this.#header.buffer);
  #frameBytes: Bytes = 0;
  /** How far `#skip` has come: a place and the bytes of it that were passed. */
  #place = 0;
  #passed = 0;

  /** Lays out frames of `frameBytes` payload for at most `bytes`. Only while KCP is writable, and `finish` follows before anything else. */
  lay(now: Millis, kcp: Kcp, frameBytes: Bytes, bytes: Bytes): void {
    const frames = Math.min(FRAMES_MAX, Math.ceil(bytes / frameBytes));
    // A place and a header each begin a piece at most.
    const most = Math.min(bytes, frames * frameBytes, (PIECES_MAX - 2 - frames) * kcp.mss - frames * HEADER_BYTES);
    const places = this.#places;
    const { payload } = this;
    this.clear();
    kcp.reserve(now, most + Math.ceil(most / frameBytes) * HEADER_BYTES, places);
    this.#frameBytes = frameBytes;
    payload.bytes = places.bytes;
    let left = HEADER_BYTES;
    let header = true;
    for (let i = 0; i < places.length; i++) {
      const end = places.end[i]!;
      for (let at = places.start[i]!; at < end; ) {
        const n = Math.min(left, end - at);
        if (!header) payload.add(at, at + n);
        at += n;
        left -= n;
        if (left > 0) continue;
        header = !header;
        left = header ? HEADER_BYTES : frameBytes;
      }
    }
  }

  /** Puts headers to the first `n` payload bytes and queues the frames. */
  finish(kcp: Kcp, smux: SmuxSession, sid: number, n: Bytes): void {
    this.#place = 0;
    this.#passed = 0;
    let frames = 0;
    for (let left = n; left > 0; left -= this.#frameBytes) {
      const length = Math.min(left, this.#frameBytes);
      this.#putHeader(kcp, smux, sid, length);
      this.#skip(HEADER_BYTES + length);
      frames++;
    }
    kcp.commit(n + frames * HEADER_BYTES);
  }

  /** Lets go of KCP's memory. */
  clear(): void {
    this.payload.clear();
    this.#places.clear();
  }

  #putHeader(kcp: Kcp, smux: SmuxSession, sid: number, length: Bytes): void {
    const places = this.#places;
    let i = this.#place;
    let at = places.start[i]! + this.#passed;
    if (places.end[i]! - at >= HEADER_BYTES) {
      smux.push(sid, kcp.reservedView, at, length);
      return;
    }
    smux.push(sid, this.#headerView, 0, length);
    for (let b = 0; b < HEADER_BYTES; b++) {
      if (at === places.end[i]) at = places.start[++i]!;
      places.bytes[at++] = this.#header[b]!;
    }
  }

  #skip(bytes: Bytes): void {
    const { start, end, length } = this.#places;
    let passed = this.#passed + bytes;
    let i = this.#place;
    for (; i < length; i++) {
      const place = end[i]! - start[i]!;
      if (passed < place) break;
      passed -= place;
    }
    this.#place = i;
    this.#passed = passed;
  }
}
