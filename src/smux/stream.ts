/**
 * One stream of a smux session: which directions are open and, in version 2, how much each side may still send.
 *
 *   we send:     written − peerConsumed bytes are under way, at most peerWindow
 *   we receive:  held bytes were handed to the application, which has not consumed them yet
 *
 * Byte positions are kept modulo 2^32 as int32, as the wire has them.
 */
import type { Bytes } from "../base/units.ts";
import { CMD_FIN, CMD_SYN, HEADER_BYTES, putHeader, putUpdate, UPDATE_BYTES } from "./frame.ts";

/** What a version 2 peer may be sent before it has told its window. */
export const INITIAL_WINDOW_BYTES: Bytes = 262_144;
/** A larger window is taken as this, so that signed distances keep their meaning. */
const WINDOW_BYTES_MAX: Bytes = 0x7fffffff;

export class Stream {
  readonly sid: number;
  /** Our SYN was transmitted, or the stream is the peer's. */
  established: boolean;
  /** No more `push`: a FIN was asked for. */
  finished = false;
  /** The application does not want it any more: what still comes is discarded. */
  forgotten = false;
  finReceived = false;
  /** In the session's queue of streams with control frames to send. */
  queued = false;
  /** Bytes handed out and not yet consumed. */
  held = 0;
  /** Describes the stream; goes with its SYN, or with another one when the SYN has left. */
  description: Uint8Array | undefined;
  /** For the session's budget (receive-budget.ts): the window told, the tick of the last progress, and what was concluded from it. */
  told = 0;
  progress = 0;
  stalled = false;
  shrunk = false;
  #finSent = false;
  #updatePending = false;
  #written = 0;
  #peerConsumed = 0;
  #peerWindow = INITIAL_WINDOW_BYTES;
  #consumed = 0;
  #consumedSinceUpdate = 0;
  #updated = false;

  constructor(sid: number, established: boolean) {
    this.sid = sid;
    this.established = established;
  }

  /** Bytes of the peer's window that are free; ≤ 0 when it is shut. */
  get windowLeft(): number {
    return this.#peerWindow - ((this.#written - this.#peerConsumed) | 0);
  }

  /** Data is wanted: neither ended by the peer nor forgotten by us. */
  get receiving(): boolean {
    return !this.finReceived && !this.forgotten;
  }

  /** Both directions have ended and nothing is left to account for. */
  get over(): boolean {
    if (this.forgotten) return this.#finSent || !this.established;
    return this.#finSent && this.finReceived && this.held === 0;
  }

  /** It has control frames to send. One that is forgotten before its SYN was transmitted has none: the peer need not know that it was. */
  get controlPending(): boolean {
    if (!this.established) return !this.forgotten;
    return this.description !== undefined || (this.#updatePending && this.receiving) || (this.finished && !this.#finSent);
  }

  /** Writes its next control frame, SYN before UPD before FIN and a description before both, to view[offset…limit). Answers its length, 0 when there is no room. */
  transmitControl(view: DataView, offset: number, limit: number, version: number, window: Bytes): Bytes {
    if (!this.established || this.description !== undefined) {
      const { description } = this;
      const bodyBytes = description?.length ?? 0;
      if (offset + HEADER_BYTES + bodyBytes > limit) return 0;
      putHeader(view, offset, version, CMD_SYN, bodyBytes, this.sid);
      for (let i = 0; i < bodyBytes; i++) view.setUint8(offset + HEADER_BYTES + i, description![i]!);
      this.description = undefined;
      this.established = true;
      return HEADER_BYTES + bodyBytes;
    }
    if (this.#updatePending && this.receiving) {
      if (offset + UPDATE_BYTES > limit) return 0;
      putUpdate(view, offset, version, this.sid, this.#consumed, window);
      this.#updatePending = false;
      return UPDATE_BYTES;
    }
    if (offset + HEADER_BYTES > limit) return 0;
    putHeader(view, offset, version, CMD_FIN, 0, this.sid);
    this.#finSent = true;
    return HEADER_BYTES;
  }

  wrote(n: number): void {
    this.#written = (this.#written + n) | 0;
  }

  /** The peer has consumed so much and opens a window behind it; false when it claims bytes that were never sent. */
  peerUpdated(consumed: number, window: number): boolean {
    if (((this.#written - consumed) | 0) < 0) return false;
    this.#peerConsumed = consumed;
    this.#peerWindow = Math.min(window, WINDOW_BYTES_MAX);
    return true;
  }

  /** The application took `n` bytes. An UPD is due at the very first time, and then whenever `step` more bytes were taken. */
  consume(n: number, step: number): void {
    this.#consumed = (this.#consumed + n) | 0;
    this.#consumedSinceUpdate += n;
    if (this.#updated && this.#consumedSinceUpdate < step) return;
    this.#updated = true;
    this.#updatePending = true;
    this.#consumedSinceUpdate = 0;
  }

  /** An UPD is due without anything having been consumed: the window has changed. */
  update(): void {
    this.#updated = true;
    this.#updatePending = true;
  }

  /** What `transmitControl` writes next is an UPD. */
  get updateNext(): boolean {
    return this.established && this.description === undefined && this.#updatePending && this.receiving;
  }
}
