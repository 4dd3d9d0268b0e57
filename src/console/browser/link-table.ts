/** The links' figures as a table: a column a link, a row a label. */
import type { LinkFigure, LinkFigures } from "../../live/link-figures.ts";
import { bitRate, build, byteCount } from "./text.ts";

export function drawLinks(section: HTMLElement, links: readonly LinkFigures[]): void {
  section.hidden = links.length === 0;
  const table = section.querySelector("table");
  if (table === null || links.length === 0) return;
  const labels = [...new Set(links.flatMap(({ figures }) => figures.map(({ label }) => label)))];
  const head = document.createElement("tr");
  head.append(document.createElement("th"), ...links.map(({ name }) => build("th", "", name)));
  const rows = labels.map((label) => {
    const row = document.createElement("tr");
    const values = links.map(({ figures }) => build("td", "", write(figures.find((figure) => figure.label === label))));
    row.append(build("th", "", label), ...values);
    return row;
  });
  table.replaceChildren(head, ...rows);
}

function write(figure: LinkFigure | undefined): string {
  if (figure === undefined) return "–";
  const { value, unit } = figure;
  if (typeof value === "string") return value;
  switch (unit) {
    case "ms":
      return `${value.toFixed(value < 100 ? 1 : 0)} ms`;
    case "bit/s":
      return bitRate(value);
    case "share":
      return `${(value * 100).toFixed(value < 0.1 ? 2 : 1)} %`;
    case "B":
      return byteCount(value);
    default:
      return value.toLocaleString("en");
  }
}
