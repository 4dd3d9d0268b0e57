/** Delays over many paths as SVG: a point for each path, kcptun's to the right and ours upwards, both logarithmic; what lies below the diagonal comes sooner by ours. */
const [SIZE, LEFT, TOP, BOTTOM, RIGHT] = [460, 66, 44, 46, 14];
const COLOURS = ["#0b62a4", "#2e7d32", "#c9510c"];
const TICKS = [10, 30, 100, 300, 1000, 3000, 10_000, 30_000];

/** A path's p95 by each, in ms. */
export interface Point {
  readonly theirs: number;
  readonly ours: number;
}

export function pathsPlot(kinds: ReadonlyMap<string, readonly Point[]>): string {
  const all = [...kinds.values()].flat().flatMap(({ theirs, ours }) => [theirs, ours]);
  const [least, most] = [Math.log(Math.min(...all) * 0.8), Math.log(Math.max(...all) * 1.2)];
  const share = (ms: number): number => ((Math.log(ms) - least) / (most - least)) * SIZE;
  const x = (ms: number): string => (LEFT + share(ms)).toFixed(1);
  const y = (ms: number): string => (TOP + SIZE - share(ms)).toFixed(1);
  const [width, height] = [LEFT + SIZE + RIGHT, TOP + SIZE + BOTTOM];
  const parts = [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" font-family="system-ui, sans-serif" font-size="11">`,
    "<title>95th percentile of a live stream's delay over paths that nobody chose, ours over kcptun's</title>",
    `<rect width="${width}" height="${height}" fill="#fff"/><rect x="${LEFT}" y="${TOP}" width="${SIZE}" height="${SIZE}" fill="#f7f8fa"/>`,
    `<text x="${LEFT}" y="16" font-size="13" font-weight="600" fill="#1c2128">95th percentile of frames' delay: below the line ours is sooner</text>`,
  ];
  for (const tick of TICKS) {
    if (Math.log(tick) < least || Math.log(tick) > most) continue;
    const label = tick < 1000 ? `${tick} ms` : `${tick / 1000} s`;
    parts.push(`<path d="M${LEFT} ${y(tick)}h${SIZE}M${x(tick)} ${TOP}v${SIZE}" stroke="#dfe2e7"/>`);
    parts.push(`<text x="${LEFT - 6}" y="${Number(y(tick)) + 4}" text-anchor="end" fill="#4a515c">${label}</text>`);
    parts.push(`<text x="${x(tick)}" y="${TOP + SIZE + 16}" text-anchor="middle" fill="#4a515c">${label}</text>`);
  }
  parts.push(`<path d="M${LEFT} ${TOP + SIZE}L${LEFT + SIZE} ${TOP}" stroke="#8a8f98" stroke-dasharray="4 3"/>`);
  parts.push(`<text x="${LEFT + SIZE}" y="${height - 12}" text-anchor="end" fill="#4a515c">kcptun to kcptun (fast2)</text>`);
  let at = LEFT;
  for (const [i, [name, points]] of [...kinds].entries()) {
    const colour = COLOURS[i % COLOURS.length];
    for (const { theirs, ours } of points)
      parts.push(`<circle cx="${x(theirs)}" cy="${y(ours)}" r="4" fill="${colour}" fill-opacity="0.65"/>`);
    const label = name === "auto" ? "ours at both ends" : `ours ${name}`;
    parts.push(
      `<circle cx="${at + 4}" cy="30" r="4" fill="${colour}"/><text x="${at + 13}" y="34" fill="${colour}" font-weight="600">${label}</text>`,
    );
    at += 30 + label.length * 6.4;
  }
  return `${parts.join("\n")}\n</svg>\n`;
}
