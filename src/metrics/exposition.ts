/**
 * Metric families as text that Prometheus and whoever speaks its language scrape.
 *
 *   # HELP longhaul_sessions Sessions that live.
 *   # TYPE longhaul_sessions gauge
 *   longhaul_sessions 3
 *
 * Sources: Prometheus text format 0.0.4; OpenMetrics 1.0 for those who ask for it: there the family of a counter has a name without _total, units
 * are told, and # EOF ends the text. Nothing here counts: the counters belong to the cores, and a client library would hold a second copy of each.
 */
export interface Family {
  /** Without the suffix _total of counters, _info of infos and _bucket, _sum and _count of histograms; ends in its unit. */
  readonly name: string;
  readonly type: "counter" | "gauge" | "histogram" | "info";
  readonly help: string;
  /** The unit in which the name ends, if it has one. */
  readonly unit?: "seconds" | "bytes" | "ratio";
  readonly samples: readonly Sample[];
}

export interface Sample {
  readonly labels?: Labels;
  readonly value: number | HistogramValue;
}

export type Labels = Readonly<Record<string, string>>;

export interface HistogramValue {
  /** Upper bounds, rising; what is above the last belongs to +Inf. */
  readonly bounds: readonly number[];
  /** One count more than bounds; not added up. */
  readonly counts: readonly number[];
  readonly sum: number;
}

export type Format = "text" | "openmetrics";

export const contentTypes: Readonly<Record<Format, string>> = {
  text: "text/plain; version=0.0.4; charset=utf-8",
  openmetrics: "application/openmetrics-text; version=1.0.0; charset=utf-8",
};

/** What an Accept header asks for: OpenMetrics only if it is named. */
export function formatFor(accept: string): Format {
  return accept.includes("application/openmetrics-text") ? "openmetrics" : "text";
}

/** Families without a sample are left out. */
export function expose(families: readonly Family[], format: Format): string {
  const lines: string[] = [];
  for (const family of families) if (family.samples.length > 0) write(family, format, lines);
  if (format === "openmetrics") lines.push("# EOF");
  return `${lines.join("\n")}\n`;
}

function write({ name, type, help, unit, samples }: Family, format: Format, lines: string[]): void {
  const suffix = type === "counter" ? "_total" : type === "info" ? "_info" : "";
  const open = format === "openmetrics";
  const family = open ? name : name + suffix;
  lines.push(`# HELP ${family} ${open ? escapeLabel(help) : escapeHelp(help)}`);
  lines.push(`# TYPE ${family} ${!open && type === "info" ? "gauge" : type}`);
  if (open && unit !== undefined) lines.push(`# UNIT ${family} ${unit}`);
  for (const { labels = {}, value } of samples) {
    if (typeof value === "number") lines.push(`${name}${suffix}${braces(labels)} ${numeral(value)}`);
    else writeHistogram(name, labels, value, lines);
  }
}

function writeHistogram(name: string, labels: Labels, { bounds, counts, sum }: HistogramValue, lines: string[]): void {
  let total = 0;
  counts.forEach((count, i) => {
    total += count;
    lines.push(`${name}_bucket${braces({ ...labels, le: i < bounds.length ? numeral(bounds[i]!) : "+Inf" })} ${total}`);
  });
  lines.push(`${name}_sum${braces(labels)} ${numeral(sum)}`);
  lines.push(`${name}_count${braces(labels)} ${total}`);
}

function braces(labels: Labels): string {
  const pairs = Object.entries(labels).map(([name, value]) => `${name}="${escapeLabel(value)}"`);
  return pairs.length === 0 ? "" : `{${pairs.join(",")}}`;
}

function numeral(value: number): string {
  if (Number.isNaN(value)) return "NaN";
  if (!Number.isFinite(value)) return value > 0 ? "+Inf" : "-Inf";
  return String(value);
}

function escapeHelp(text: string): string {
  return text.replaceAll("\\", "\\\\").replaceAll("\n", "\\n");
}

function escapeLabel(text: string): string {
  return escapeHelp(text).replaceAll('"', '\\"');
}
