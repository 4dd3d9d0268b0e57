/** A screen in the terminal that is drawn anew each period and at each key, until a key or a signal ends it: what `top` and `forward top` share. */
import { setTimeout as sleep } from "node:timers/promises";
import { Terminal } from "../host/terminal.ts";
import type { Line } from "../top/line.ts";
import { Painter, type Palette } from "../top/paint.ts";
import { onStop } from "./signals.ts";

export interface LiveScreen {
  /** Seconds between two looks. */
  readonly period: number;
  /** Lines as wide and as many as the terminal; `clock` is hh:mm:ss. */
  draw(width: number, height: number, clock: string): Line[];
  /** What a key did: "end", "hurry" (what is shown now must be asked for at once) or nothing. */
  press(name: string): "end" | "hurry" | undefined;
  /** Asks for what is shown next. */
  look(): Promise<void>;
}

/** As the terminal allows. */
export function terminalPalette(): Exclude<Palette, "text"> {
  return process.env.NO_COLOR || process.env.TERM === "dumb" ? "styles" : "colours";
}

export async function showLive(screen: LiveScreen): Promise<void> {
  const painter = new Painter(terminalPalette());
  const stop = new AbortController();
  /** Ends the pause between two looks early. */
  let hurry = new AbortController();
  const show = (): void => {
    if (!terminal.ready) return;
    terminal.write(painter.paint(screen.draw(terminal.width, terminal.height, new Date().toTimeString().slice(0, 8))));
  };
  const terminal = new Terminal({
    key: (name) => {
      const done = screen.press(name);
      if (done === "end") stop.abort();
      if (done === "hurry") hurry.abort();
      show();
    },
    gone: () => stop.abort(),
    resized: () => {
      painter.forget();
      show();
    },
  });
  const off = onStop(() => stop.abort());
  try {
    while (!stop.signal.aborted) {
      await screen.look();
      show();
      hurry = new AbortController();
      await sleep(screen.period * 1000, undefined, { signal: AbortSignal.any([stop.signal, hurry.signal]) }).catch(() => {});
    }
  } finally {
    terminal.close();
    off();
  }
}
