/**
 * Keeps a playlist from hls.js while it loads a part. A playlist that brings the first part of a new segment while the last part of the one before is
 * still loading came before stalls in which hls.js 1.7.4 asked for no further part until a seek. Why it does is not known, and a stall has been seen with
 * the gate in place. Playlists and parts normally take turns, so this holds something only in the burst that follows a repaired loss.
 */
import Hls, { type HlsConfig, type Loader, type LoaderContext } from "hls.js";

/** A part that takes longer than this is not waited for. */
const PATIENCE_MS = 400;

export class PartGate {
  #closed = false;
  #waiting: (() => void)[] = [];

  close(): void {
    this.#closed = true;
  }

  open(): void {
    this.#closed = false;
    const waiting = this.#waiting;
    this.#waiting = [];
    // hls.js first finishes what it does with the part.
    for (const pass of waiting) setTimeout(pass, 0);
  }

  /** Runs `pass` once: now, when the part is in, or when patience ends. */
  whenOpen(pass: () => void): void {
    if (!this.#closed) {
      pass();
      return;
    }
    let passed = false;
    const once = (): void => {
      if (passed) return;
      passed = true;
      pass();
    };
    this.#waiting.push(once);
    setTimeout(once, PATIENCE_MS);
  }
}

type LoaderClass = new (config: HlsConfig) => Loader<LoaderContext>;

/** hls.js's own loader, whose successes go through the gate. */
export function patientLoader(gate: PartGate): NonNullable<HlsConfig["pLoader"]> {
  const Base = Hls.DefaultConfig.loader as unknown as LoaderClass;
  return class extends Base {
    override load(...[context, config, callbacks]: Parameters<Loader<LoaderContext>["load"]>): void {
      const { onSuccess } = callbacks;
      super.load(context, config, { ...callbacks, onSuccess: (...answer) => gate.whenOpen(() => onSuccess(...answer)) });
    }
  } as unknown as NonNullable<HlsConfig["pLoader"]>;
}
