/**
 * A strict reader of the exposition formats, for tests: refuses what promtool's linter or an OpenMetrics parser would.
 *
 * Checks: HELP, TYPE (and UNIT) once and before the samples of their family; families whole and not repeated; names, labels and escapes by the
 * grammar; suffixes by type; names that end in their unit, in base units; no series twice; buckets that rise up to +Inf, which is the count; the end.
 */
import assert from "node:assert/strict";

export interface ReadFamily {
  readonly name: string;
  readonly type: string;
  readonly help: string;
  readonly unit?: string;
  readonly samples: ReadonlyMap<string, number>;
}

/** Samples by "name{label="value",…}" as written. */
export class Exposition {
  readonly families = new Map<string, ReadFamily>();
  readonly samples = new Map<string, number>();

  constructor(text: string, format: "text" | "openmetrics") {
    assert.ok(text.endsWith("\n") && !text.endsWith("\n\n"), "ends with one line feed");
    const lines = text.slice(0, -1).split("\n");
    if (format === "openmetrics") assert.equal(lines.pop(), "# EOF");
    let family: { name: string; help: string; type?: string; unit?: string; samples: Map<string, number> } | undefined;
    const finish = (): void => {
      if (family === undefined) return;
      assert.ok(family.type !== undefined && family.samples.size > 0, `${family.name} has a type and samples`);
      const { name, help, type, unit, samples } = family;
      lint(name, type, help, unit, samples, format);
      this.families.set(name, { name, help, type, samples, ...(unit === undefined ? {} : { unit }) });
    };
    for (const line of lines) {
      const meta = /^# (HELP|TYPE|UNIT) ([a-zA-Z_:][a-zA-Z0-9_:]*) (.+)$/.exec(line);
      if (meta === null) {
        const [series, value] = readSample(line);
        assert.ok(family?.type !== undefined, `${line}: a sample before its family`);
        assert.ok(!this.samples.has(series), `${series} twice`);
        family.samples.set(series, value);
        this.samples.set(series, value);
        continue;
      }
      const [, kind, name = "", rest = ""] = meta;
      if (kind === "HELP") {
        finish();
        assert.ok(!this.families.has(name) && family?.name !== name, `${name} twice`);
        family = { name, help: rest, samples: new Map() };
      } else {
        assert.equal(family?.name, name, `${line}: not of the family before`);
        assert.equal(family?.samples.size, 0, `${line}: behind samples`);
        const key = kind === "TYPE" ? "type" : "unit";
        assert.equal(family![key], undefined, `${line}: twice`);
        family![key] = rest;
      }
    }
    finish();
  }

  /** @throws when there is no such series */
  value(series: string): number {
    const value = this.samples.get(series);
    assert.notEqual(value, undefined, `no ${series}`);
    return value!;
  }
}

function readSample(line: string): [series: string, value: number] {
  const match = /^([a-zA-Z_:][a-zA-Z0-9_:]*)(?:\{((?:[a-zA-Z_][a-zA-Z0-9_]*="(?:[^"\\\n]|\\[\\"n])*",?)+)\})? (\S+)$/.exec(line);
  assert.ok(match !== null, `${line}: no sample`);
  const [, name, labels, value] = match;
  const names = Array.from(labels?.matchAll(/([a-zA-Z_][a-zA-Z0-9_]*)="/g) ?? [], ([, label]) => label);
  assert.equal(new Set(names).size, names.length, `${line}: a label twice`);
  assert.ok(labels === undefined || !labels.endsWith(","), `${line}: a comma too many`);
  assert.match(value!, /^([+-]?\d+(\.\d+)?(e[+-]?\d+)?|[+-]Inf|NaN)$/i, line);
  return [labels === undefined ? name! : `${name}{${labels}}`, Number(value!.replace("Inf", "Infinity"))];
}

const suffixes: Readonly<Record<string, readonly string[]>> = {
  counter: ["_total"],
  gauge: [""],
  info: ["_info"],
  histogram: ["_bucket", "_sum", "_count"],
};
const otherUnits = /_(ms|millis|milliseconds|us|microseconds|minutes|hours|kb|kilobytes|mb|megabytes|bits|percent)(_|$)/;

function lint(
  name: string,
  type: string,
  help: string,
  unit: string | undefined,
  samples: ReadonlyMap<string, number>,
  format: "text" | "openmetrics",
): void {
  assert.ok(type in suffixes && !(format === "text" && type === "info"), `${name}: type ${type}`);
  assert.match(help, /^[A-Z].*\.$/, `${name}: help is a sentence`);
  assert.match(name, /^[a-z][a-z0-9_]*$/, `${name}: lower case with underscores`);
  assert.doesNotMatch(name, otherUnits, `${name}: base units only`);
  const bare = format === "text" && type === "counter" ? name.replace(/_total$/, "") : name;
  if (type === "counter") assert.equal(name.endsWith("_total"), format === "text", `${name}: _total`);
  else assert.doesNotMatch(name, /_total$/, `${name}: _total is for counters`);
  assert.doesNotMatch(bare, /_(total|sum|count|bucket)$/, `${name}: a suffix of the format`);
  if (unit !== undefined) assert.ok(bare.endsWith(`_${unit}`), `${name}: does not end in its unit ${unit}`);
  for (const [series, value] of samples) {
    const own = series.replace(/\{.*$/, "");
    assert.ok(
      suffixes[type]!.some((suffix) => own === (format === "text" && type === "counter" ? name : name + suffix)),
      `${series} in ${name}`,
    );
    if (type === "counter") assert.ok(value >= 0, `${series} is ${value}`);
  }
  if (type === "histogram") lintHistogram(name, samples);
}

function lintHistogram(name: string, samples: ReadonlyMap<string, number>): void {
  let [before, bound] = [0, Number.NEGATIVE_INFINITY];
  for (const [series, value] of samples) {
    const le = /le="([^"]+)"/.exec(series)?.[1];
    if (le === undefined) continue;
    assert.ok(Number(le.replace("Inf", "Infinity")) > bound && value >= before, `${series} does not rise`);
    [before, bound] = [value, Number(le.replace("Inf", "Infinity"))];
  }
  assert.equal(bound, Number.POSITIVE_INFINITY, `${name} has no bucket +Inf`);
  assert.equal(samples.get(`${name}_count`), before, `${name}_count is its last bucket`);
}
