import assert from "node:assert/strict";
import { test } from "node:test";
import { expose, type Family, formatFor } from "./exposition.ts";
import { Exposition } from "./testing/read-exposition.ts";

const all: readonly Family[] = [
  { name: "a_bytes", type: "counter", unit: "bytes", help: 'With "quotes", a \\ and\nlines.', samples: [{ value: 3 }] },
  {
    name: "b",
    type: "gauge",
    help: "Gauge.",
    samples: [
      { labels: { peer: 'x"\\\n' }, value: -0.5 },
      { labels: { peer: "y" }, value: 2e21 },
    ],
  },
  { name: "c", type: "info", help: "Info.", samples: [{ labels: { version: "1" }, value: 1 }] },
  {
    name: "d_seconds",
    type: "histogram",
    unit: "seconds",
    help: "Histogram.",
    samples: [{ value: { bounds: [0.5, 2], counts: [1, 0, 4], sum: 99 } }],
  },
  { name: "left_out", type: "gauge", help: "No sample.", samples: [] },
];

test("the text format, by its letters", () => {
  assert.equal(
    expose(all, "text"),
    `# HELP a_bytes_total With "quotes", a \\\\ and\\nlines.
# TYPE a_bytes_total counter
a_bytes_total 3
# HELP b Gauge.
# TYPE b gauge
b{peer="x\\"\\\\\\n"} -0.5
b{peer="y"} 2e+21
# HELP c_info Info.
# TYPE c_info gauge
c_info{version="1"} 1
# HELP d_seconds Histogram.
# TYPE d_seconds histogram
d_seconds_bucket{le="0.5"} 1
d_seconds_bucket{le="2"} 1
d_seconds_bucket{le="+Inf"} 5
d_seconds_sum 99
d_seconds_count 5
`,
  );
});

test("OpenMetrics names families without suffixes, tells units and ends with EOF", () => {
  const text = expose(all, "openmetrics");
  assert.ok(
    text.startsWith(
      '# HELP a_bytes With \\"quotes\\", a \\\\ and\\nlines.\n# TYPE a_bytes counter\n# UNIT a_bytes bytes\na_bytes_total 3\n',
    ),
  );
  assert.ok(text.includes("# TYPE c info\nc_info{") && text.endsWith("d_seconds_count 5\n# EOF\n"));
});

test("both are read back by a strict reader", () => {
  for (const format of ["text", "openmetrics"] as const) {
    const { families, samples } = new Exposition(expose(all, format), format);
    assert.deepEqual([families.size, samples.size], [4, 9]);
  }
});

test("the strict reader refuses what is wrong", () => {
  const wrong: readonly [text: string, why: RegExp][] = [
    ["# HELP a A.\n# TYPE a gauge\na 1\na 2\n", /a twice/],
    ["# HELP a A.\n# TYPE a counter\na 1\n", /_total/],
    ["# HELP a_ms A.\n# TYPE a_ms gauge\na_ms 1\n", /base units/],
    ["# HELP a A.\n# TYPE a gauge\nb 1\n", /b in a/],
    ['# HELP a A.\n# TYPE a gauge\na{x="1",x="2"} 1\n', /a label twice/],
    ['# HELP a A.\n# TYPE a histogram\na_bucket{le="1"} 2\na_bucket{le="+Inf"} 1\na_sum 1\na_count 1\n', /does not rise/],
    ["# HELP a A.\n# TYPE a gauge\na 1", /line feed/],
    ["a 1\n", /before its family/],
  ];
  for (const [text, why] of wrong) assert.throws(() => new Exposition(text, "text"), why);
});

test("OpenMetrics only for those who name it", () => {
  const prometheus = "application/openmetrics-text;version=1.0.0;escaping=allow-utf-8;q=0.5,text/plain;version=0.0.4;q=0.2,*/*;q=0.1";
  assert.deepEqual([prometheus, "*/*", ""].map(formatFor), ["openmetrics", "text", "text"]);
});
