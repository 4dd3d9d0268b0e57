/**
 * One TCP connection through an edge and a tunnel: the client's connection is the tunnel's, which reads and writes it without a copy in between.
 *
 *   client ══ TunnelFlow ══ stream of the tunnel ═══ far machine ══ endpoint          here: bytes are counted, ends are noticed, the PROXY header comes first
 */
import type { Pieces } from "../base/pieces.ts";
import type { Millis } from "../base/units.ts";
import type { TcpHandler, TcpSocket } from "../host/loop.ts";
import { proxyHeader } from "../host/proxy-protocol.ts";
import { readEach } from "../host/scatter.ts";
import { type End, type Flow, PlacedFlow } from "./flow.ts";
import type { Place, Plane } from "./plane.ts";
import type { ServedListener } from "./served-listener.ts";

export class TunnelFlow extends PlacedFlow implements Flow, TcpSocket, TcpHandler {
  readonly way = "tunnel";
  bytesIn = 0;
  bytesOut = 0;
  readonly seenAs = "";
  readonly #plane: Plane;
  readonly #client: TcpSocket;
  #stream: TcpHandler | undefined;
  /** What the endpoint gets before the client's bytes, as far as it was not read yet. */
  #preface: Uint8Array | undefined;
  #now: Millis;
  #over = false;

  constructor(plane: Plane, served: ServedListener, place: Place, client: TcpSocket, now: Millis) {
    super(served, place, now);
    this.#plane = plane;
    this.#now = now;
    this.#client = client;
    if (place.destination.client === "none") return;
    const { source, sourcePort, address, port } = place.key;
    this.#preface = proxyHeader({ host: source, port: sourcePort }, { host: address, port });
  }

  /** False: the tunnel does not take it, and nothing has happened. */
  open(now: Millis, tunnel: string): boolean {
    const { target, port } = this.destination;
    const { host } = target!.endpoint;
    const place = host.includes(":") ? `[${host}]:${port}` : `${host}:${port}`;
    this.#stream = this.#plane.tunnels?.dial(now, tunnel, place, this);
    return this.#stream !== undefined;
  }

  get remote(): string {
    return this.#client.remote;
  }

  get local(): string {
    return this.#client.local ?? "";
  }

  read(bytes: Uint8Array, offset: number, limit: number): number {
    if (this.#preface === undefined) return this.#took(this.#client.read(bytes, offset, limit));
    const n = Math.min(limit - offset, this.#preface.length);
    bytes.set(this.#preface.subarray(0, n), offset);
    this.#preface = n < this.#preface.length ? this.#preface.subarray(n) : undefined;
    return n;
  }

  readv(pieces: Pieces): number {
    return this.#preface === undefined ? this.#took(this.#client.readv(pieces)) : readEach(this, pieces);
  }

  write(bytes: Uint8Array, offset: number, end: number): number {
    return this.#gave(this.#client.write(bytes, offset, end));
  }

  writev(pieces: Pieces): number {
    return this.#gave(this.#client.writev(pieces));
  }

  shutdown(): void {
    this.#client.shutdown();
  }

  close(): void {
    this.#client.close();
    this.#release("closed");
  }

  reset(reason?: string): void {
    this.#client.reset(reason);
    this.#release("closed");
  }

  connected(): void {}

  readable(now: Millis): void {
    this.#now = now;
    this.#stream?.readable(now);
  }

  writable(now: Millis): void {
    this.#now = now;
    this.#stream?.writable(now);
  }

  closed(now: Millis, code: string): void {
    this.#stream?.closed(now, code);
    this.#release("closed");
  }

  died(): void {
    if (this.served.policy.resetDead) this.end("dead");
  }

  end(why: End): void {
    if (this.#over) return;
    this.#client.reset();
    const stream = this.#stream;
    this.#release(why);
    stream?.closed(this.#plane.loop.now(), "ECONNRESET");
  }

  #release(why: End): void {
    if (this.#over) return;
    this.#over = true;
    this.#stream = undefined;
    this.#plane.ended(this, why);
  }

  #took(n: number): number {
    if (n <= 0) return n;
    this.bytesIn += n;
    this.served.stats.bytesIn += n;
    this.activeAt = this.#now;
    return n;
  }

  /** The stream writes in rounds in which nothing comes from the client, too: the clock is looked at once a call of many bytes. */
  #gave(n: number): number {
    if (n <= 0) return n;
    this.bytesOut += n;
    this.served.stats.bytesOut += n;
    this.#now = this.#plane.loop.now();
    this.activeAt = this.#now;
    return n;
  }
}
