/**
 * The first module of a thread that runs a loop: makes the loop, starts the program on it, and runs until the loop stops.
 *
 * On epoll the thread sleeps in the kernel and not in Node, so Node's own work of this thread (promises, finalizers, standard output) is
 * given a turn about five times a second, while there is traffic. An error that nobody catches ends the thread and is raised again
 * in the main thread (worker.ts).
 */
import { type MessagePort, receiveMessageOnPort, workerData } from "node:worker_threads";
import type { Millis } from "../base/units.ts";
import type { IoKind } from "./choose.ts";
import type { HandoverData } from "./handover.ts";
import { tidyHeap } from "./heap.ts";
import type { Loop } from "./loop.ts";
import type { LoopCounters } from "./loop-counters.ts";
import { EpollLoop } from "./loop-epoll.ts";
import { NodeLoop } from "./loop-node.ts";
import { WakeEvent } from "./wake-event.ts";
import { type FromLoop, type LoopPort, RemoteResolver, type ToLoop, type WorkerCounters } from "./worker-port.ts";

/** Tuning: how long Node's own work waits at most while rounds follow each other. */
const SLICE_MS: Millis = 200;
/** Commands handled in one round. */
const COMMANDS_PER_ROUND = 256;

export interface WorkerData {
  readonly module: string;
  readonly data: unknown;
  readonly io: IoKind;
  readonly sharePorts: boolean;
  readonly handover: HandoverData | undefined;
  readonly port: MessagePort;
  /** Eventfd by which the main thread wakes this one; −1 on node. */
  readonly wakeFd: number;
}

/** What a module exports to run on a loop, in a thread by itself or in the main one. */
export type Start<Data, Command, Message> = (loop: Loop, data: Data, port: LoopPort<Command, Message>) => undefined | Program;

/** What a program may tell of itself. */
export interface Program {
  counters?(now: Millis, about: unknown): unknown;
}

class Running {
  readonly #port: MessagePort;
  readonly #resolver: RemoteResolver;
  #command: ((command: unknown, now: Millis) => void) | undefined;
  #loop: (Loop & { readonly counters: LoopCounters }) | undefined;
  #program: Program | undefined;

  constructor(port: MessagePort) {
    this.#port = port;
    this.#resolver = new RemoteResolver(port);
  }

  async start({ module, data, io, sharePorts, handover, wakeFd }: WorkerData): Promise<void> {
    const { start } = (await import(module)) as { start: Start<unknown, unknown, unknown> };
    const port: LoopPort<unknown, unknown> = {
      post: (message) => this.#post({ kind: "message", message }),
      onCommand: (handler) => {
        this.#command = handler;
      },
    };
    if (io === "node") {
      const loop = new NodeLoop({ resolver: this.#resolver, stopped: () => this.#port.close() });
      this.#loop = loop;
      this.#port.on("message", (message: ToLoop) => loop.later((now) => this.#handle(message, now)));
      this.#program = start(loop, data, port);
      return;
    }
    const loop = new EpollLoop({ resolver: this.#resolver, sharePorts, handover });
    this.#loop = loop;
    const wake = new WakeEvent(wakeFd);
    loop.watch(wake.fd, (now) => {
      wake.clear();
      this.#drain(loop, now);
    });
    this.#program = start(loop, data, port);
    tidyHeap();
    // Commands may have come before the eventfd was watched.
    loop.later((now) => this.#drain(loop, now));
    const turn = (): void => {
      if (loop.run(loop.now() + SLICE_MS)) this.#port.close();
      else setImmediate(turn);
    };
    turn();
  }

  #drain(loop: EpollLoop, now: Millis): void {
    for (let left = COMMANDS_PER_ROUND; left > 0; left--) {
      const received = receiveMessageOnPort(this.#port) as { message: ToLoop } | undefined;
      if (received === undefined) return;
      this.#handle(received.message, now);
    }
    loop.later((later) => this.#drain(loop, later));
  }

  #handle(message: ToLoop, now: Millis): void {
    switch (message.kind) {
      case "command":
        this.#command?.(message.command, now);
        return;
      case "resolved":
        this.#resolver.resolved(message.id, message.address);
        return;
      case "counters":
        this.#post({ kind: "counters", id: message.id, counters: this.#counters(now, message.about) });
        return;
      case "stop":
        this.#loop?.stop();
    }
  }

  #counters(now: Millis, about: unknown): WorkerCounters | undefined {
    if (this.#loop === undefined) return undefined;
    // Node 20 and 22 cannot tell a thread's share.
    const { user, system } = process.threadCpuUsage?.() ?? { user: 0, system: 0 };
    return { loop: this.#loop.counters, cpuSeconds: (user + system) / 1e6, program: this.#program?.counters?.(now, about) };
  }

  #post(message: FromLoop): void {
    this.#port.postMessage(message);
  }
}

const given = workerData as WorkerData;
await new Running(given.port).start(given);
