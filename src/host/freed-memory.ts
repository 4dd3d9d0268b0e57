/**
 * Gives memory back to the kernel that was freed but lies between pieces in use. The C library returns only what is free at the end of its heap; what
 * compilers took while a program warmed up, and buffers of sessions that have ended, stay resident (15 to 20 MB of a client's 170 with a thousand
 * sessions). Looks every few seconds, does something only when the process has grown: 0.2 to 4 ms then, in the thread
 * that calls.
 */
import { loadSys } from "./sys.ts";

export interface FreedMemoryOptions {
  /** Hands free pages of all arenas to the kernel. */
  readonly trim: () => void;
  /** Physical memory of this process, bytes. */
  readonly resident: () => number;
  /** Bytes that it must have grown by since the last time. */
  readonly growth?: number;
}

const GROWTH = 4 * 1024 * 1024;
const LOOK_MS = 5000;

export class FreedMemory {
  readonly #trim: () => void;
  readonly #resident: () => number;
  readonly #growth: number;
  /** The least that was resident since it was last given back. */
  #least = 0;

  constructor({ trim, resident, growth = GROWTH }: FreedMemoryOptions) {
    this.#trim = trim;
    this.#resident = resident;
    this.#growth = growth;
  }

  /** True when there was reason to give back; the first time there is. What shrinks by itself lowers the mark. */
  look(): boolean {
    const resident = this.#resident();
    if (resident < this.#least + this.#growth) {
      this.#least = Math.min(this.#least, resident);
      return false;
    }
    this.#trim();
    this.#least = this.#resident();
    return true;
  }
}

/** Looks every five seconds from now on; without effect where the C library has no such call. Keeps no process alive. */
export function giveBackFreedMemory(): { stop(): void } {
  const trim = mallocTrim();
  if (trim === undefined) return { stop: () => {} };
  const freed = new FreedMemory({ trim, resident: () => process.memoryUsage.rss() });
  freed.look();
  const timer = setInterval(() => freed.look(), LOOK_MS).unref();
  return { stop: () => clearInterval(timer) };
}

function mallocTrim(): (() => void) | undefined {
  try {
    const { malloc_trim } = loadSys();
    return malloc_trim && (() => void malloc_trim(0));
  } catch {
    return undefined;
  }
}
