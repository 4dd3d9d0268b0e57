/** A row of bars for the newest values, the newest at the right; gaps for what is not known. */
import type { Glyphs } from "./glyphs.ts";
import { type Line, span, widthOf } from "./line.ts";

/** A name and bars behind it, `width` columns together. */
export function graph(name: string, values: readonly number[], width: number, glyphs: Glyphs): Line {
  const label = span(`${name} `, "bold");
  return [label, span(sparkline(values, Math.max(0, width - widthOf([label])), glyphs), "good")];
}

/** `width` characters. Scaled from 0 to the highest value shown, or to `top` if that is higher. */
export function sparkline(values: readonly number[], width: number, { bars }: Glyphs, top = 0): string {
  const shown = width > 0 ? values.slice(-width) : [];
  const most = shown.reduce((highest, value) => (value > highest ? value : highest), top);
  const drawn = shown.map((value) => {
    if (!Number.isFinite(value)) return " ";
    if (most <= 0) return bars[0];
    return bars[Math.min(bars.length - 1, Math.max(0, Math.ceil((value / most) * bars.length) - 1))];
  });
  return drawn.join("").padStart(width);
}
