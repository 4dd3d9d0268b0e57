/** What a loop runs in every round besides its sockets: the tasks posted since the last one, then the drivers. */
import { type Millis, NEVER } from "../base/units.ts";
import type { Driver } from "./loop.ts";

export type Task = (now: Millis) => void;

export class Agenda {
  readonly #drivers: Driver[] = [];
  #tasks: Task[] = [];
  #running: Task[] = [];

  drive(driver: Driver): void {
    this.#drivers.push(driver);
  }

  later(task: Task): void {
    this.#tasks.push(task);
  }

  /** Answers when the drivers want to be called next. Tasks that tasks bring wait for the next round. */
  run(now: Millis): Millis {
    if (this.#tasks.length > 0) this.#runTasks(now);
    let deadline: Millis = NEVER;
    for (let i = 0; i < this.#drivers.length; i++) deadline = Math.min(deadline, this.#drivers[i]!.advance(now));
    return deadline;
  }

  clear(): void {
    this.#tasks.length = 0;
  }

  #runTasks(now: Millis): void {
    const tasks = this.#tasks;
    this.#tasks = this.#running;
    this.#running = tasks;
    for (let i = 0; i < tasks.length; i++) tasks[i]!(now);
    tasks.length = 0;
  }
}
