/** Signs beyond ASCII, and what stands for them where the locale has none. */
export interface Glyphs {
  readonly up: string;
  readonly down: string;
  readonly bars: readonly string[];
  readonly more: string;
  readonly dot: string;
}

export const unicode: Glyphs = { up: "↑", down: "↓", bars: ["▁", "▂", "▃", "▄", "▅", "▆", "▇", "█"], more: "…", dot: "·" };
export const ascii: Glyphs = { up: "^", down: "v", bars: ["_", ".", "-", "=", "*", "#"], more: "~", dot: "|" };

/** By the locale as POSIX finds it; unset means ASCII. */
export function glyphsFor(env: Readonly<Record<string, string | undefined>>): Glyphs {
  const locale = env.LC_ALL || env.LC_CTYPE || env.LANG || "";
  return /utf-?8/i.test(locale) ? unicode : ascii;
}
