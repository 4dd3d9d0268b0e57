/** A line of the screen: pieces of text with a style each. One character is one column; what would not be is shown as "?". */
export type Style = "plain" | "bold" | "dim" | "heading" | "selected" | "good" | "warn" | "bad";

export interface Span {
  readonly text: string;
  readonly style: Style;
}

export type Line = readonly Span[];

export function span(text: string, style: Style = "plain"): Span {
  return { text, style };
}

export function widthOf(line: Line): number {
  return line.reduce((width, { text }) => width + text.length, 0);
}

/** The line cut or filled to exactly `width` columns; a filled one ends in the style of its last piece if `stretch` is set. */
export function fit(line: Line, width: number, stretch = false): Line {
  const out: Span[] = [];
  let left = width;
  for (const { text, style } of line) {
    if (left === 0) break;
    const piece = text.slice(0, left);
    out.push({ text: piece, style });
    left -= piece.length;
  }
  if (left > 0) out.push({ text: " ".repeat(left), style: stretch ? (line.at(-1)?.style ?? "plain") : "plain" });
  return out;
}

/** Left and right part of one line; the right one yields when there is not room for both. */
export function justify(left: Line, right: Line, width: number): Line {
  const gap = width - widthOf(left) - widthOf(right);
  return gap < 1 ? fit(left, width) : [...left, span(" ".repeat(gap)), ...right];
}

/** Text from elsewhere (names, addresses) with nothing in it that a terminal would take for a command or for two columns. */
export function printable(text: string): string {
  return text.replace(/[^\x20-\x7e\u00a1-\u024f]/gu, "?");
}

/** The text, or its beginning with a sign that more follows. */
export function shorten(text: string, width: number, more: string): string {
  if (text.length <= width) return text;
  return width <= more.length ? text.slice(0, width) : text.slice(0, width - more.length) + more;
}
