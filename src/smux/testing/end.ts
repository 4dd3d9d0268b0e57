/**
 * One end of a session in tests: what it sends is gathered as bytes, what it is given is cut into pieces, what happened is written down.
 */
import assert from "node:assert/strict";
import type { SmuxOptions } from "../options.ts";
import { DATA, FAILED, FINISHED, OPENED, SmuxSession } from "../session.ts";

export class End {
  readonly smux: SmuxSession;
  /** Everything that happened, in order: "opened 3", "data 3 hello", "finished 3", "failed smux.version". Data of one frame is joined. */
  readonly log: string[] = [];
  /** Consume data as it comes. */
  reads = true;
  now = 0;
  readonly #buffer = new Uint8Array(70_000);
  readonly #view = new DataView(this.#buffer.buffer);

  constructor(options: SmuxOptions) {
    this.smux = new SmuxSession(options);
  }

  /** Control frames that wait to be sent. */
  control(): Uint8Array {
    const out: Uint8Array[] = [];
    for (;;) {
      const n = this.smux.transmit(this.now, this.#buffer, this.#view, 0, this.#buffer.length);
      if (n === 0) return Buffer.concat(out);
      out.push(this.#buffer.slice(0, n));
    }
  }

  /** One frame with this payload. */
  push(sid: number, payload: Uint8Array | string): Uint8Array {
    const bytes = typeof payload === "string" ? new TextEncoder().encode(payload) : payload;
    this.#buffer.set(bytes, 5 + 8);
    const n = this.smux.push(sid, this.#view, 5, bytes.length);
    return this.#buffer.slice(5, 5 + n);
  }

  /** Receives bytes in pieces of `piece`. */
  receive(stream: Uint8Array, piece = stream.length): this {
    const { smux } = this;
    for (let from = 0; from < stream.length; from += piece) {
      const end = Math.min(stream.length, from + piece);
      for (let at = from; at < end; ) {
        const n = smux.receive(this.now, stream, at, end);
        assert.ok(n >= 1 && n <= end - at, "a call consumes, and not beyond the end");
        at += n;
        this.#note(stream);
      }
    }
    return this;
  }

  advance(now: number): this {
    this.now = now;
    this.smux.advance(now);
    if (this.smux.event === FAILED) this.log.push(`failed ${this.smux.failure?.code}`);
    return this;
  }

  #note(stream: Uint8Array): void {
    const { smux } = this;
    const sid = smux.eventSid;
    if (smux.event === OPENED) this.log.push(`opened ${sid}`);
    else if (smux.event === FINISHED) this.log.push(`finished ${sid}`);
    else if (smux.event === FAILED) this.log.push(`failed ${smux.failure?.code}`);
    else if (smux.event === DATA) {
      const text = new TextDecoder().decode(stream.subarray(smux.dataStart, smux.dataEnd));
      const last = this.log.at(-1);
      if (last?.startsWith(`data ${sid} `)) this.log[this.log.length - 1] = last + text;
      else this.log.push(`data ${sid} ${text}`);
      if (this.reads) smux.consumed(this.now, sid, smux.dataEnd - smux.dataStart);
    }
  }
}

export type Version = 1 | 2;

export function pair(version: Version, more: Partial<SmuxOptions> = {}): { client: End; server: End } {
  return { client: new End({ role: "client", version, ...more }), server: new End({ role: "server", version, ...more }) };
}

/** Frames written by hand: version, cmd, sid, body. */
export function frame(version: number, cmd: number, sid: number, body: readonly number[] | number = []): Uint8Array {
  const length = typeof body === "number" ? body : body.length;
  const head = [version, cmd, length, length >>> 8, sid, sid >>> 8, sid >>> 16, sid >>> 24];
  return Uint8Array.of(...head, ...(typeof body === "number" ? new Uint8Array(body) : body));
}

export function update(sid: number, consumed: number, window: number): Uint8Array {
  const u32 = (n: number): number[] => [n, n >>> 8, n >>> 16, n >>> 24].map((byte) => byte & 255);
  return frame(2, 4, sid, [...u32(consumed), ...u32(window)]);
}
