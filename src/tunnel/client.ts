/**
 * `longhaul client`: accepts connections and carries them, as streams of one of `conn` KCP sessions, to the server.
 *
 *   connection → the next of `conn` slots in turn (slot.ts) → its session and UDP socket (path.ts)
 */
import { type Millis, NEVER } from "../base/units.ts";
import { createCipher } from "../cipher/cipher.ts";
import type { Driver, Listener, TcpHandler, TcpSocket } from "../host/loop.ts";
import { parseEndpoint, parsePortRange } from "./address.ts";
import type { ClientConfig } from "./config.ts";
import { Scratch } from "./layers.ts";
import { type Observation, observe, type Question } from "./observation.ts";
import { padsOf } from "./pads.ts";
import type { SessionReport } from "./report.ts";
import { Slot, type TunnelParts } from "./slot.ts";
import { type SnmpCounters, snmpCounters } from "./snmp.ts";
import { Totals, type TunnelTotals } from "./totals.ts";

export class TunnelClient implements Driver {
  readonly #config: ClientConfig;
  readonly #parts: TunnelParts;
  readonly #slots: Slot[];
  readonly #listener: Listener;
  readonly #totals: Totals;
  #next = 0;
  #stopped = false;
  refused = 0;

  /** @throws HostError when localaddr cannot be bound, ConfigError for a wrong address */
  constructor(config: ClientConfig, parts: TunnelParts) {
    this.#config = config;
    this.#parts = parts;
    const remote = parsePortRange("remoteaddr", config.remoteaddr);
    const cipher = createCipher(config.crypt, parts.primitives.deriveKey(config.key), parts.primitives);
    const scratch = new Scratch();
    this.#totals = new Totals("client", cipher.stats);
    const shared = {
      ...parts,
      config,
      cipher,
      scratch,
      pads: padsOf(config, parts.primitives),
      totals: this.#totals,
      peerName: config.remoteaddr,
    };
    this.#slots = Array.from({ length: config.conn }, () => new Slot(shared, remote));
    this.#listener = parts.loop.listen(parseEndpoint("localaddr", config.localaddr, 0), (socket, now) => this.#accept(socket, now));
    parts.loop.drive(this);
  }

  get local(): Listener["local"] {
    return this.#listener.local;
  }

  advance(now: Millis): Millis {
    let next: Millis = NEVER;
    for (let i = 0; i < this.#slots.length; i++) next = Math.min(next, this.#slots[i]!.advance(now));
    return next;
  }

  report(now: Millis): SessionReport[] {
    return this.#slots.flatMap((slot) => slot.report(now));
  }

  /** Of all sessions there were. */
  counters(): SnmpCounters {
    return snmpCounters(this.#snapshot());
  }

  /** What those who watch are told, at most once a second. */
  observe(now: Millis, question: Question): Observation {
    return observe(now, this.#totals, this.#snapshot(), question);
  }

  /** Stops accepting and ends all streams in order; `loop.stop` follows when the peer has had time to hear of it. */
  stop(now: Millis): void {
    this.#stopped = true;
    this.#listener.close();
    for (const slot of this.#slots) slot.finish(now);
  }

  #snapshot(): TunnelTotals {
    let retiredCut = 0;
    for (const slot of this.#slots) retiredCut += slot.retiredCut;
    return this.#totals.snapshot({ retiredCut, streamsRefused: this.refused });
  }

  #accept(socket: TcpSocket, now: Millis): TcpHandler | undefined {
    if (this.#stopped) return undefined;
    const slot = this.#slots[this.#next]!;
    this.#next = (this.#next + 1) % this.#slots.length;
    const stream = slot.open(now, socket);
    if (stream === undefined) {
      this.refused++;
      this.#parts.log.warn({ from: socket.remote, refused: this.refused }, "connection refused: no more streams (option streams)");
      return undefined;
    }
    if (!this.#config.quiet)
      this.#parts.log.info({ from: socket.remote, stream: stream.sid, peer: this.#config.remoteaddr }, "connection opened");
    return stream;
  }
}
