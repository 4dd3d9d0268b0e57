/**
 * The terminal as a screen: keys one by one, its size, pictures without scrolling; and as it was when the program ends, however it ends.
 *
 *   open:   alternate screen, no cursor, raw input           close, exit, crash: all of it undone
 */
import { writeSync } from "node:fs";
import type { ReadStream } from "node:tty";
import { readKeys } from "./terminal-keys.ts";

type WriteStream = typeof process.stdout;

export interface TerminalHandler {
  key(name: string): void;
  /** The terminal has gone: nobody sees what follows. */
  gone(): void;
  resized(): void;
}

const enter = "\x1b[?1049h\x1b[?25l\x1b[?7l\x1b[2J";
const leave = "\x1b[?7h\x1b[?25h\x1b[?1049l";

export class Terminal {
  readonly #input: ReadStream;
  readonly #output: WriteStream;
  readonly #handler: TerminalHandler;
  #open = true;

  /** Both must be terminals. */
  constructor(handler: TerminalHandler, input: ReadStream = process.stdin, output: WriteStream = process.stdout) {
    this.#handler = handler;
    this.#input = input;
    this.#output = output;
    input.setRawMode(true);
    input.setEncoding("utf8");
    input.on("data", this.#keys);
    input.on("end", this.#gone);
    input.on("error", this.#gone);
    output.on("resize", this.#resized);
    process.on("exit", this.#restore);
    // Before Node writes the stack of an error that nobody caught, which would else vanish with the screen.
    process.on("uncaughtExceptionMonitor", this.#restore);
    output.write(enter);
  }

  get width(): number {
    return this.#output.columns || 80;
  }

  get height(): number {
    return this.#output.rows || 24;
  }

  /** False while the terminal has not taken the last picture: then better none. */
  get ready(): boolean {
    return this.#open && !this.#output.writableNeedDrain;
  }

  write(text: string): void {
    this.#output.write(text);
  }

  close(): void {
    if (!this.#open) return;
    this.#restore();
    this.#input.off("data", this.#keys);
    this.#input.off("end", this.#gone);
    // What goes wrong with it from now on is of no interest any more.
    this.#input.off("error", this.#gone).on("error", () => {});
    this.#output.off("resize", this.#resized);
    process.off("exit", this.#restore);
    process.off("uncaughtExceptionMonitor", this.#restore);
    this.#input.pause();
  }

  readonly #keys = (text: Buffer | string): void => {
    for (const key of readKeys(String(text))) this.#handler.key(key);
  };

  readonly #gone = (): void => this.#handler.gone();

  readonly #resized = (): void => this.#handler.resized();

  /** Synchronous: there may be no later. */
  readonly #restore = (): void => {
    if (!this.#open) return;
    this.#open = false;
    try {
      this.#input.setRawMode(false);
      writeSync(this.#output.fd, leave);
    } catch {
      // The terminal has gone.
    }
  };
}
