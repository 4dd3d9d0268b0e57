/** Listens for encoders (--forward rtmp:…): connections of RTMP behind a relay that keeps what is sent fresh (rtmp-filter.ts). */
import { type Bytes, type Millis, NEVER } from "../base/units.ts";
import { KIND_TCP } from "../extension/description.ts";
import type { Log } from "../host/log.ts";
import type { Listener, Loop, TcpHandler, TcpSocket } from "../host/loop.ts";
import type { ChannelCounters } from "./channel-counters.ts";
import type { AcceptConnection, Entrance } from "./entrances.ts";
import type { Forward } from "./forward.ts";
import { placeOf } from "./place.ts";
import { RtmpFilter } from "./rtmp-filter.ts";

const SCRATCH_BYTES = 65_536;

export interface RtmpEntranceParts {
  readonly loop: Loop;
  readonly log: Log;
  readonly counters: ChannelCounters;
  readonly config: { readonly maxdelay: Millis };
}

export class RtmpEntrance implements Entrance {
  forward: Forward;
  readonly #parts: RtmpEntranceParts;
  readonly #accept: AcceptConnection;
  readonly #listener: Listener;
  readonly #scratch = new Uint8Array(SCRATCH_BYTES);
  readonly #filters = new Set<RtmpFilter>();

  /** @throws HostError when the address cannot be bound */
  constructor(parts: RtmpEntranceParts, forward: Forward, accept: AcceptConnection) {
    this.forward = forward;
    this.#parts = parts;
    this.#accept = accept;
    this.#listener = parts.loop.listen(forward.listen, (socket, now) => this.#accepted(socket, now));
  }

  get local(): Listener["local"] {
    return this.#listener.local;
  }

  retarget(forward: Forward): void {
    this.forward = forward;
  }

  /** Bytes a second that would fit the link, of the encoder that has least; 0 while all of them fit. */
  get fits(): Bytes {
    const known = [...this.#filters].map(({ fits }) => fits).filter((fits) => fits > 0);
    return known.length === 0 ? 0 : Math.min(...known);
  }

  advance(now: Millis): Millis {
    let next: Millis = NEVER;
    for (const filter of this.#filters) {
      if (!filter.open) {
        this.#filters.delete(filter);
        continue;
      }
      next = Math.min(next, filter.advance(now));
    }
    return next;
  }

  close(): void {
    this.#listener.close();
  }

  #accepted(socket: TcpSocket, now: Millis): TcpHandler | undefined {
    const { counters, log, config } = this.#parts;
    const filter = new RtmpFilter(now, socket, { delayMax: config.maxdelay, counters, log, scratch: this.#scratch });
    const description = {
      kind: KIND_TCP,
      target: this.forward.target,
      source: placeOf(socket.remote),
      destination: placeOf(socket.local ?? ""),
    };
    const stream = this.#accept(filter, now, description);
    if (stream === undefined) return undefined;
    filter.attach(stream);
    this.#filters.add(filter);
    return filter;
  }
}
