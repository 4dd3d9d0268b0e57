/** Packets a second and core over flows, as SVG: flows on a logarithmic axis, a line for each case. */
import { writeFileSync } from "node:fs";

const [WIDTH, HEIGHT, LEFT, RIGHT, TOP, BOTTOM] = [760, 420, 60, 150, 30, 50];
const COLOURS = ["#9aa3ad", "#0b6bcb", "#7fb2e5", "#c2571a", "#2f855a"];

export function plot(file: string, cases: ReadonlyMap<string, readonly { readonly flows: number; readonly ns: number }[]>): void {
  const all = [...cases.values()].flat();
  const [least, most] = [Math.log10(Math.min(...all.map(({ flows }) => flows))), Math.log10(Math.max(...all.map(({ flows }) => flows)))];
  const top = Math.ceil(Math.max(...all.map(({ ns }) => 1000 / ns)) * 2) / 2;
  const x = (flows: number): number => LEFT + ((Math.log10(flows) - least) / (most - least || 1)) * (WIDTH - LEFT - RIGHT);
  const y = (millions: number): number => HEIGHT - BOTTOM - (millions / top) * (HEIGHT - TOP - BOTTOM);
  const parts = [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${HEIGHT}" font-family="sans-serif" font-size="12">`,
    "<title>Packets a second and core, over flows</title>",
    `<rect width="${WIDTH}" height="${HEIGHT}" fill="#fff"/>`,
    `<text x="${LEFT}" y="18" font-weight="bold">Millions of packets a second and core, over flows</text>`,
  ];
  for (let millions = 0; millions <= top; millions += 0.5)
    parts.push(
      `<path d="M${LEFT} ${y(millions)}H${WIDTH - RIGHT}" stroke="#e3e6ea"/><text x="${LEFT - 8}" y="${y(millions) + 4}" text-anchor="end">${millions}</text>`,
    );
  for (const flows of new Set(all.map((point) => point.flows)))
    parts.push(`<text x="${x(flows)}" y="${HEIGHT - BOTTOM + 20}" text-anchor="middle">${flows.toLocaleString("en")}</text>`);
  const labels = spread([...cases].map(([name, points]) => ({ name, at: y(1000 / points.at(-1)!.ns) + 4 })));
  for (const [i, [name, points]] of [...cases].entries()) {
    const colour = COLOURS[i % COLOURS.length];
    const line = points.map(({ flows, ns }) => `${x(flows).toFixed(1)} ${y(1000 / ns).toFixed(1)}`);
    parts.push(`<path d="M${line.join("L")}" fill="none" stroke="${colour}" stroke-width="2"/>`);
    for (const { flows, ns } of points)
      parts.push(`<circle cx="${x(flows).toFixed(1)}" cy="${y(1000 / ns).toFixed(1)}" r="3" fill="${colour}"/>`);
    parts.push(`<text x="${WIDTH - RIGHT + 8}" y="${labels.get(name)!.toFixed(1)}" fill="${colour}">${name}</text>`);
  }
  parts.push("</svg>", "");
  writeFileSync(file, parts.join("\n"));
}

/** Heights that do not overlap, from the top on. */
function spread(labels: readonly { readonly name: string; readonly at: number }[]): Map<string, number> {
  const placed = new Map<string, number>();
  let free = 0;
  for (const { name, at } of [...labels].sort((a, b) => a.at - b.at)) {
    placed.set(name, Math.max(at, free));
    free = Math.max(at, free) + 14;
  }
  return placed;
}
