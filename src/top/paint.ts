/** Lines as terminals want them: styles as escapes, and of a new picture only what differs from the last. */
import type { Line, Style } from "./line.ts";

const escapes: Readonly<Record<Style, string>> = {
  plain: "",
  bold: "\x1b[1m",
  dim: "\x1b[2m",
  heading: "\x1b[7m",
  selected: "\x1b[30;46m",
  good: "\x1b[32m",
  warn: "\x1b[33m",
  bad: "\x1b[31;1m",
};
/** Without colours these still mean something. */
const colourless: Readonly<Partial<Record<Style, string>>> = { selected: "\x1b[7m", good: "", warn: "\x1b[1m", bad: "\x1b[1m" };
const reset = "\x1b[0m";

export type Palette = "colours" | "styles" | "text";

/** "text" has no escapes at all: for files and pipes. */
export function paintLine(line: Line, palette: Palette): string {
  return line
    .map(({ text, style }) => {
      const code = palette === "text" ? "" : palette === "styles" ? (colourless[style] ?? escapes[style]) : escapes[style];
      return code === "" ? text : `${code}${text}${reset}`;
    })
    .join("");
}

export class Painter {
  #last: string[] = [];
  readonly #palette: Palette;

  constructor(palette: Exclude<Palette, "text">) {
    this.#palette = palette;
  }

  /** The next picture is painted whole: after a resize, or when something else has written on the screen. */
  forget(): void {
    this.#last = [];
  }

  /** What to write so that the screen shows `lines`, which are as wide as it; empty when it does already. */
  paint(lines: readonly Line[]): string {
    const painted = lines.map((line) => paintLine(line, this.#palette));
    const whole = this.#last.length !== painted.length;
    const changed = painted.map((text, i) => (whole || text !== this.#last[i] ? `\x1b[${i + 1};1H${text}` : "")).join("");
    this.#last = painted;
    // Shown at once where the terminal knows how (mode 2026), ignored elsewhere.
    return changed === "" ? "" : `\x1b[?2026h${whole ? "\x1b[2J" : ""}${changed}\x1b[?2026l`;
  }
}
