/**
 * What passes between the main thread and a thread that runs a loop.
 *
 *   main ─ post ─► MessagePort ─ eventfd ─► the loop's round reads the port        a thread asleep in epoll sees no message by itself
 *   main ◄───────── MessagePort ──────────── post                                  arrives in the main thread's event loop as usual
 *
 * Names are resolved on the main side, because Node's look-ups end in an event loop.
 */
import type { MessagePort } from "node:worker_threads";
import type { Millis } from "../base/units.ts";
import type { LoopCounters } from "./loop-counters.ts";
import { LOOKUPS_MAX, type Resolver } from "./resolver.ts";

export type ToLoop =
  | { readonly kind: "command"; readonly command: unknown }
  | { readonly kind: "resolved"; readonly id: number; readonly address: string | undefined }
  | { readonly kind: "counters"; readonly id: number; readonly about: unknown }
  | { readonly kind: "stop" };

/** What a thread has counted. */
export interface WorkerCounters {
  readonly loop: LoopCounters;
  /** Processor time of the thread. */
  readonly cpuSeconds: number;
  /** What its program tells (worker-main.ts). */
  readonly program: unknown;
}

export type FromLoop =
  | { readonly kind: "message"; readonly message: unknown }
  | { readonly kind: "resolve"; readonly id: number; readonly host: string; readonly family: 0 | 4 | 6 }
  | { readonly kind: "counters"; readonly id: number; readonly counters: WorkerCounters | undefined };

/** What the program on the loop is given to talk to whoever started it. */
export interface LoopPort<Command, Message> {
  /** Structured clone; numbers in a SharedArrayBuffer are shared. */
  post(message: Message): void;
  /** The handler is called from a round of the loop. */
  onCommand(handler: (command: Command, now: Millis) => void): void;
}

/** Asks the main thread. */
export class RemoteResolver implements Resolver {
  readonly #port: MessagePort;
  readonly #pending = new Map<number, (address: string | undefined) => void>();
  #next = 0;

  constructor(port: MessagePort) {
    this.#port = port;
  }

  resolve(host: string, family: 0 | 4 | 6, done: (address: string | undefined) => void): boolean {
    if (this.#pending.size >= LOOKUPS_MAX) return false;
    const id = this.#next++;
    this.#pending.set(id, done);
    this.#port.postMessage({ kind: "resolve", id, host, family } satisfies FromLoop);
    return true;
  }

  resolved(id: number, address: string | undefined): void {
    const done = this.#pending.get(id);
    this.#pending.delete(id);
    done?.(address);
  }
}
