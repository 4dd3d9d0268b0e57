/**
 * Runs a program on a loop in a thread by itself.
 *
 *   startLoopWorker({ module, data, onMessage }) ─► thread: import(module).start(loop, data, port)
 *
 * The same `start` runs on a loop in the main thread as well: `start(new NodeLoop(), data, port)`.
 *
 * A thread that sleeps in epoll does not look at its messages; each post is followed by a write to its eventfd. On Node's own sockets
 * (`io` "node") the thread has an event loop like any other.
 */
import { MessageChannel, type MessagePort, receiveMessageOnPort, Worker } from "node:worker_threads";
import { chooseIo, type IoChoice, type IoKind } from "./choose.ts";
import type { HandoverData } from "./handover.ts";
import { SystemResolver } from "./resolver.ts";
import { WakeEvent } from "./wake-event.ts";
import type { WorkerData } from "./worker-main.ts";
import type { FromLoop, ToLoop, WorkerCounters } from "./worker-port.ts";

export interface LoopWorkerOptions<Data, Message> {
  /** The module that exports `start` (worker-main.ts). */
  readonly module: URL;
  /** Handed to `start` by structured clone. */
  readonly data: Data;
  /** Several threads listen at the same ports (Reactor); on epoll only. */
  readonly sharePorts?: boolean;
  /** Threads that share ports share connections evenly (handover.ts); on epoll only. */
  readonly handover?: HandoverData | undefined;
  /** "auto" by default: see choose.ts. */
  readonly io?: "auto" | IoKind;
  /** Called in the main thread's event loop for each `port.post`. */
  readonly onMessage?: (message: Message) => void;
  /** Called once when the thread has ended: with the error that nobody caught, or without one. */
  readonly onExit?: (error: Error | undefined) => void;
}

export interface LoopWorker<Command> {
  readonly io: IoChoice;
  /**
   * Settles when the thread has ended; rejects with the error that nobody in it caught. If nobody handles that, the program ends with its stack,
   * as it would have, had the error come in the main thread.
   */
  readonly ended: Promise<void>;
  post(command: Command): void;
  /** What the loop and the program have counted; undefined when the thread ends before it answers. `about` is handed to the program. */
  counters(about?: unknown): Promise<WorkerCounters | undefined>;
  /** Stops the loop, which closes every socket, and waits for the thread to end. */
  stop(): Promise<void>;
}

/** @throws ConfigError when `io` asks for what does not work here */
export function startLoopWorker<Data, Command, Message>(options: LoopWorkerOptions<Data, Message>): LoopWorker<Command> {
  return new ThreadedLoop<Data, Command, Message>(options);
}

/** Compilers rewrite imports and not URLs: in the published package the modules that the source calls .ts are .js. */
function asRunning(module: URL): URL {
  return import.meta.url.endsWith(".ts") ? module : new URL(module.href.replace(/\.ts$/, ".js"));
}

class ThreadedLoop<Data, Command, Message> implements LoopWorker<Command> {
  readonly io: IoChoice;
  readonly ended: Promise<void>;
  readonly #port: MessagePort;
  readonly #wake: WakeEvent | undefined;
  readonly #resolver = new SystemResolver();
  readonly #asked = new Map<number, (counters: WorkerCounters | undefined) => void>();
  readonly #onMessage: ((message: Message) => void) | undefined;
  #nextId = 0;
  #running = true;

  constructor({ module, data, io, sharePorts = false, handover, onMessage, onExit }: LoopWorkerOptions<Data, Message>) {
    this.io = chooseIo(io);
    this.#onMessage = onMessage;
    this.#wake = this.io.kind === "epoll" ? new WakeEvent() : undefined;
    const { port1, port2 } = new MessageChannel();
    this.#port = port1;
    const workerData: WorkerData = {
      module: asRunning(module).href,
      data,
      io: this.io.kind,
      sharePorts,
      handover,
      port: port2,
      wakeFd: this.#wake?.fd ?? -1,
    };
    const worker = new Worker(asRunning(new URL("./worker-main.ts", import.meta.url)), { workerData, transferList: [port2] });
    port1.on("message", (message: FromLoop) => this.#receive(message));
    // The thread itself keeps the process alive, not the port to it.
    port1.unref();
    let failure: Error | undefined;
    worker.on("error", (error) => {
      failure = error instanceof Error ? error : new Error(String(error));
    });
    this.ended = new Promise((settle, fail) => {
      worker.on("exit", (code) => {
        if (code !== 0) failure ??= new Error(`the thread of ${module.href} ended with status ${code}`);
        this.#end();
        onExit?.(failure);
        if (failure === undefined) settle();
        else fail(failure);
      });
    });
  }

  post(command: Command): void {
    this.#post({ kind: "command", command });
  }

  counters(about?: unknown): Promise<WorkerCounters | undefined> {
    if (!this.#running) return Promise.resolve(undefined);
    const id = this.#nextId++;
    const answer = new Promise<WorkerCounters | undefined>((settle) => this.#asked.set(id, settle));
    this.#post({ kind: "counters", id, about });
    return answer;
  }

  stop(): Promise<void> {
    this.#post({ kind: "stop" });
    return this.ended;
  }

  #post(message: ToLoop): void {
    if (!this.#running) return;
    this.#port.postMessage(message);
    this.#wake?.signal();
  }

  #receive(message: FromLoop): void {
    if (message.kind === "message") this.#onMessage?.(message.message as Message);
    else if (message.kind === "resolve") {
      const { id, host, family } = message;
      const answer = (address: string | undefined): void => this.#post({ kind: "resolved", id, address });
      if (!this.#resolver.resolve(host, family, answer)) answer(undefined);
    } else {
      this.#asked.get(message.id)?.(message.counters);
      this.#asked.delete(message.id);
    }
  }

  #end(): void {
    // What the thread posted last may not have been delivered yet.
    for (let last = receiveMessageOnPort(this.#port); last !== undefined; last = receiveMessageOnPort(this.#port))
      this.#receive(last.message);
    this.#running = false;
    this.#wake?.close();
    this.#port.close();
    for (const settle of this.#asked.values()) settle(undefined);
    this.#asked.clear();
  }
}
