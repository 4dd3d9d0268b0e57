/**
 * Where applications come in: a listener for each forward (forward.ts). The list can be replaced while everything runs: what stays the same is not
 * touched, what is gone stops listening, and connections that are open go on.
 */
import { type Millis, NEVER } from "../base/units.ts";
import { type Description, KIND_TCP } from "../extension/description.ts";
import type { Listener, Loop, TcpHandler, TcpSocket } from "../host/loop.ts";
import type { Forward } from "./forward.ts";
import { placeOf } from "./place.ts";

export interface Entrance {
  readonly forward: Forward;
  readonly local: Listener["local"];
  /** Leads to this target from now on. */
  retarget(forward: Forward): void;
  /** Does what is due; answers when it wants to be called next. */
  advance(now: Millis): Millis;
  close(): void;
}

export type AcceptConnection = (socket: TcpSocket, now: Millis, description: Description) => TcpHandler | undefined;

/** Listens for connections. */
export class TcpEntrance implements Entrance {
  forward: Forward;
  readonly #listener: Listener;

  /** @throws HostError when the address cannot be bound */
  constructor(loop: Loop, forward: Forward, accept: AcceptConnection) {
    this.forward = forward;
    this.#listener = loop.listen(forward.listen, (socket, now) => accept(socket, now, this.#describe(socket)));
  }

  get local(): Listener["local"] {
    return this.#listener.local;
  }

  retarget(forward: Forward): void {
    this.forward = forward;
  }

  advance(_now: Millis): Millis {
    return NEVER;
  }

  close(): void {
    this.#listener.close();
  }

  #describe(socket: TcpSocket): Description {
    return { kind: KIND_TCP, target: this.forward.target, source: placeOf(socket.remote), destination: placeOf(socket.local ?? "") };
  }
}

export class Entrances {
  readonly #open: (forward: Forward) => Entrance;
  #all: Entrance[] = [];

  constructor(open: (forward: Forward) => Entrance) {
    this.#open = open;
  }

  get all(): readonly Entrance[] {
    return this.#all;
  }

  /** @throws HostError when one cannot be bound; then nothing has changed */
  replace(forwards: readonly Forward[]): void {
    const next: Entrance[] = [];
    const made: Entrance[] = [];
    try {
      for (const forward of forwards) {
        let entrance = this.#all.find(
          (known) => known.forward.kind === forward.kind && known.forward.rtmp === forward.rtmp && known.forward.text === forward.text,
        );
        if (entrance === undefined || next.includes(entrance)) {
          entrance = this.#open(forward);
          made.push(entrance);
        }
        next.push(entrance);
      }
    } catch (error) {
      for (const entrance of made) entrance.close();
      throw error;
    }
    for (const entrance of this.#all) if (!next.includes(entrance)) entrance.close();
    next.forEach((entrance, i) => void entrance.retarget(forwards[i]!));
    this.#all = next;
  }

  advance(now: Millis): Millis {
    let next: Millis = NEVER;
    for (let i = 0; i < this.#all.length; i++) next = Math.min(next, this.#all[i]!.advance(now));
    return next;
  }

  close(): void {
    for (const entrance of this.#all) entrance.close();
  }
}
