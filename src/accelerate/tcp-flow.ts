/**
 * One TCP connection through an edge: the client's ends here, a second one goes to the endpoint.
 *
 *   client ══ Half ══ read into a slot ─► write ══ Half ══ endpoint         a slot is held only while it has bytes the other side did not take:
 *                                                                           idle connections have none, and the kernel's buffers are the queue
 *
 *   accept ─► connecting ─┬─► joined ─► (an end) ─► (both ends) ─► closed
 *               ▲         └ refused, or silent ─► the next endpoint, at most CONNECTS_MAX, then reset
 *               └───────────────────────┘
 *
 * Half close is real. A reset at one side resets the other. Work per call is bounded; who has more to do is called again in the next round.
 */
import { type Millis, NEVER } from "../base/units.ts";
import type { TcpHandler, TcpSocket } from "../host/loop.ts";
import { proxyHeader } from "../host/proxy-protocol.ts";
import type { Target } from "./balance.ts";
import { type End, type Flow, PlacedFlow } from "./flow.ts";
import type { Place, Plane } from "./plane.ts";
import type { ServedListener } from "./served-listener.ts";

/** Endpoints that are tried for one connection. */
const CONNECTS_MAX = 3;
/** Tuning: bytes moved one way in one call. */
const BYTES_PER_TURN = 1 << 20;

export class TcpFlow extends PlacedFlow implements Flow {
  readonly way = "userspace";
  /** When the connection being made is given up for silence. */
  connectUntil: Millis = NEVER;
  readonly plane: Plane;
  readonly #client: Half;
  readonly #server: Half;
  #refused: Set<Target> | undefined;
  /** Kept for flow logs, which ask when the socket is gone. */
  #seenAs: string | undefined;
  #over = false;

  constructor(plane: Plane, served: ServedListener, place: Place, client: TcpSocket, now: Millis) {
    super(served, place, now);
    this.plane = plane;
    this.#client = new Half(this, true);
    this.#server = new Half(this, false);
    this.#client.other = this.#server;
    this.#server.other = this.#client;
    this.#client.socket = client;
    this.#client.joined = true;
  }

  /** What the client's socket is to be handled by. */
  get handler(): TcpHandler {
    return this.#client;
  }

  get bytesIn(): number {
    return this.#client.bytes;
  }

  get bytesOut(): number {
    return this.#server.bytes;
  }

  get seenAs(): string {
    return this.#seenAs ?? this.#server.socket?.local ?? "";
  }

  connect(now: Millis): void {
    const { host, port, client } = this.destination;
    const { source, sourcePort } = this.key;
    const from = client === "transparent" ? { host: source, port: sourcePort, transparent: true } : undefined;
    this.connectUntil = now + this.plane.connectTimeout;
    this.#server.joined = false;
    this.#server.socket = this.plane.loop.connect({ host, port }, this.#server, undefined, from);
    this.plane.connecting.add(this);
  }

  /** The endpoint did not answer in time. */
  silent(now: Millis): void {
    this.#server.socket?.reset();
    this.#elsewhere(now);
  }

  joined(now: Millis): void {
    this.plane.connecting.delete(this);
    this.connectUntil = NEVER;
    this.#refused = undefined;
    if (this.served.accelerator.flowLogs !== undefined) this.#seenAs = this.#server.socket?.local ?? "";
    if (this.destination.client === "proxy") {
      const { source, sourcePort, address, port } = this.key;
      this.#client.preface(proxyHeader({ host: source, port: sourcePort }, { host: address, port }));
    }
    this.#client.pump(now);
    this.#server.pump(now);
  }

  /** One side is gone, with errno's name. */
  broken(half: Half, now: Millis, code: string): void {
    half.socket = undefined;
    if (half === this.#server && !half.joined) {
      this.#elsewhere(now);
      return;
    }
    if (half === this.#server && code !== "EPIPE") this.plane.suspect(this);
    this.end("closed");
  }

  /** Both directions have ended and were handed on. */
  done(): void {
    if (!this.#client.ended || !this.#server.ended) return;
    this.#client.socket?.close();
    this.#server.socket?.close();
    this.#release("closed");
  }

  died(now: Millis): void {
    // Nothing was said yet: another endpoint will do.
    if (!this.#server.joined) this.silent(now);
    else if (this.served.policy.resetDead) this.end("dead");
  }

  end(why: End): void {
    if (this.#over) return;
    this.#client.socket?.reset();
    this.#server.socket?.reset();
    this.#release(why);
  }

  #elsewhere(now: Millis): void {
    const { target } = this.destination;
    this.plane.suspect(this);
    this.plane.connecting.delete(this);
    if (target !== undefined) {
      this.#refused ??= new Set();
      this.#refused.add(target);
      const next = this.#refused.size < CONNECTS_MAX ? this.served.choose(this.hash, this.key.port, this.#refused) : undefined;
      if (next !== undefined) {
        this.destination = next;
        this.connect(now);
        return;
      }
    }
    this.served.stats.noEndpoint++;
    this.end("refused");
  }

  #release(why: End): void {
    if (this.#over) return;
    this.#over = true;
    this.plane.connecting.delete(this);
    this.#client.release();
    this.#server.release();
    this.plane.ended(this, why);
  }
}

/** One side: its socket, and what was read from it and not yet taken by the other one. */
export class Half implements TcpHandler {
  other!: Half;
  socket: TcpSocket | undefined;
  joined = false;
  /** Its end was read. */
  ended = false;
  bytes = 0;
  /** In the plane's queue of those with more to do. */
  queued = false;
  readonly #flow: TcpFlow;
  readonly #inbound: boolean;
  #slot = -1;
  #start = 0;
  #end = 0;

  constructor(flow: TcpFlow, inbound: boolean) {
    this.#flow = flow;
    this.#inbound = inbound;
  }

  connected(now: Millis): void {
    this.joined = true;
    this.#flow.joined(now);
  }

  readable(now: Millis): void {
    this.pump(now);
  }

  writable(now: Millis): void {
    this.other.pump(now);
  }

  closed(now: Millis, code: string): void {
    this.#flow.broken(this, now, code);
  }

  /** Goes to the other side before anything that is read. */
  preface(bytes: Uint8Array): void {
    const taken = this.other.socket!.write(bytes, 0, bytes.length);
    if (taken === bytes.length) return;
    // A new connection takes so few bytes; one that does not is broken already.
    this.other.socket!.reset();
    this.#flow.end("refused");
  }

  /** Moves what can be moved from this side to the other. */
  pump(now: Millis): void {
    const from = this.socket;
    const to = this.other.socket;
    if (from === undefined || to === undefined || !this.other.joined || !this.joined || this.ended) return;
    if (this.#slot >= 0 && !this.#flush(to, now)) return;
    const { plane, served } = this.#flow;
    const { slots } = plane;
    const slot = slots.take();
    if (slot < 0) {
      plane.counters.withoutBuffer++;
      plane.starve(this);
      return;
    }
    const page = slots.page(slot);
    const start = slots.offset(slot);
    const limit = start + slots.slotBytes;
    let left = BYTES_PER_TURN;
    let n = 0;
    while (left > 0) {
      n = from.read(page, start, limit);
      if (n <= 0) break;
      left -= n;
      const taken = to.write(page, start, start + n);
      if (taken < n) {
        this.#slot = slot;
        this.#start = start + taken;
        this.#end = start + n;
        break;
      }
    }
    const moved = BYTES_PER_TURN - left;
    if (moved > 0) {
      this.bytes += moved;
      if (this.#inbound) served.stats.bytesIn += moved;
      else served.stats.bytesOut += moved;
      this.#flow.activeAt = now;
    }
    if (this.#slot < 0) slots.give(slot);
    if (n < 0) this.#finish(to);
    else if (left <= 0 && this.#slot < 0) plane.again(this);
  }

  release(): void {
    if (this.#slot >= 0) this.#flow.plane.slots.give(this.#slot);
    this.#slot = -1;
    this.socket = undefined;
  }

  /** False: bytes are left. */
  #flush(to: TcpSocket, now: Millis): boolean {
    const { slots } = this.#flow.plane;
    this.#start += to.write(slots.page(this.#slot), this.#start, this.#end);
    this.#flow.activeAt = now;
    if (this.#start < this.#end) return false;
    slots.give(this.#slot);
    this.#slot = -1;
    return true;
  }

  /** Its end was read, behind everything that was handed on: no slot is held here, since a read follows only on a write in full. */
  #finish(to: TcpSocket): void {
    this.ended = true;
    to.shutdown();
    this.#flow.done();
  }
}
