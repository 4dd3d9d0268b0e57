/**
 * The rules of DESIGN.md "Layers" and STYLE.md that a machine can keep: direction of imports, purity of cores, file sizes, names.
 * A rule that fails names the file, the line and what to do.
 */
import assert from "node:assert/strict";
import { globSync, readFileSync } from "node:fs";
import { dirname, join, normalize } from "node:path";
import { test } from "node:test";

const root = join(import.meta.dirname, "..");

/** Room → layer. A module imports only from layers above its own (smaller numbers) and from its own room. */
const layers: Readonly<Record<string, number>> = {
  base: 0,
  kernel: 0.5,
  ...Object.fromEntries(
    ["cipher", "emulator", "extension", "faketcp", "fec", "gcc", "health", "kcp", "media", "qpp", "rate", "smux", "snappy"].map((room) => [
      room,
      1,
    ]),
  ),
  host: 2,
  ...Object.fromEntries(["accelerate", "carrier", "demo", "forward", "live", "tunnel", "webrtc"].map((room) => [room, 3])),
  ...{ control: 4, metrics: 4 },
  ...{ console: 5, top: 5 },
  cli: 6,
  "config.ts": 6,
  "index.ts": 6,
  "main.ts": 6,
  net: 6,
};

/** Inside `media/`: bitstreams know nothing of containers, containers nothing of protocols that carry them. */
const mediaLayers: Readonly<Record<string, number>> = {
  "unit.ts": 0,
  "timeline.ts": 0,
  "unit-queue.ts": 0.5,
  nal: 0.5,
  av1: 1,
  h264: 1,
  h265: 1,
  aac: 1,
  opus: 1,
  flv: 2,
  ts: 2,
  cmaf: 2,
  rtmp: 3,
  srt: 3,
  hls: 3,
  rtp: 3,
  sdp: 4,
};

const linesMax = 400;
const medianLinesMax = 120;
const bannedNames = /(^|[/-])(utils?|common|helpers?|misc|types|constants)([./-]|$)/;

interface Source {
  readonly path: string;
  readonly room: string;
  readonly lines: readonly string[];
  readonly imports: readonly { readonly line: number; readonly from: string }[];
}

const sources: readonly Source[] = globSync("{src,sim,test,bench,examples,package}/**/*.ts", { cwd: root })
  .sort()
  .map((path) => {
    const lines = readFileSync(join(root, path), "utf8").split("\n");
    const imports = lines.flatMap((text, index) => {
      const from = /^(?:import|export)\b.*?\bfrom "([^"]+)"|^import "([^"]+)"|^\} from "([^"]+)"|\bimport\("([^"]+)"\)/.exec(text);
      const specifier = from?.[1] ?? from?.[2] ?? from?.[3] ?? from?.[4];
      return specifier === undefined ? [] : [{ line: index + 1, from: specifier }];
    });
    return { path, room: path.split("/")[1] ?? "", lines, imports };
  });

const product = sources.filter(({ path }) => path.startsWith("src/"));
const isTest = (path: string): boolean => path.endsWith(".test.ts") || path.includes("/testing/");

function target(source: Source, specifier: string): string {
  return normalize(join(dirname(source.path), specifier));
}

function check(violations: readonly string[]): void {
  assert.equal(violations.length, 0, `\n${violations.join("\n")}`);
}

test("every room has a layer", () => {
  check(
    product
      .filter(({ room }) => layers[room] === undefined)
      .map(({ path }) => `${path}: give its room a layer in test/architecture.test.ts`),
  );
});

test("modules import from layers above their own, siblings never", () => {
  check(
    product
      .filter(({ path }) => !isTest(path))
      .flatMap((source) =>
        source.imports
          .filter(({ from }) => from.startsWith("."))
          .flatMap(({ line, from }) => {
            const to = target(source, from);
            if (!to.startsWith("src/")) return [`${source.path}:${line}: src imports ${to}; only the other way is allowed`];
            const room = to.split("/")[1] ?? "";
            if (room === source.room) return [];
            const own = layers[source.room] ?? -1;
            const other = layers[room] ?? Number.POSITIVE_INFINITY;
            const allowed = other < own || (own === 6 && other === 6);
            return allowed ? [] : [`${source.path}:${line}: ${source.room} (layer ${own}) must not import ${room} (layer ${other})`];
          }),
      ),
  );
});

test("doors of the library are for its users: inside, import the file you mean", () => {
  check(
    product
      .filter(({ path }) => path !== "src/index.ts")
      .flatMap((source) =>
        source.imports
          .filter(({ from }) => from.endsWith("/index.ts") && !(source.path.endsWith("/index.ts") && from === "./index.ts"))
          .map(({ line, from }) => `${source.path}:${line}: imports ${from}`),
      ),
  );
});

test("inside media/, imports go from protocol to container to bitstream", () => {
  check(
    product
      .filter(({ path, room }) => room === "media" && !isTest(path))
      .flatMap((source) =>
        source.imports.flatMap(({ line, from }) => {
          const to = target(source, from);
          if (!from.startsWith(".") || !to.startsWith("src/media/")) return [];
          const own = source.path.split("/")[2] ?? "";
          const other = to.split("/")[2] ?? "";
          const allowed = own === other || (mediaLayers[other] ?? 9) < (mediaLayers[own] ?? -1);
          return allowed ? [] : [`${source.path}:${line}: media/${own} must not import media/${other}`];
        }),
      ),
  );
});

test("cores are pure: no node:*, clock, randomness, timers, process or logger", () => {
  const impure =
    /\b(Date\.now|new Date\(|performance\.|Math\.random|setTimeout|setInterval|setImmediate|queueMicrotask|process\.|console\.|crypto\.)/;
  check(
    product
      .filter(({ path, room }) => (layers[room] ?? 9) <= 1 && !isTest(path))
      .flatMap((source) => [
        ...source.imports
          .filter(({ from }) => !from.startsWith("."))
          .map(({ line, from }) => `${source.path}:${line}: a core imports ${from}; take what it gives as a parameter`),
        ...source.lines.flatMap((text, index) =>
          impure.test(text.replace(/^\s*(\*|\/\/|\/\*).*$|\/\/ .*$/, ""))
            ? [`${source.path}:${index + 1}: a core uses ${impure.exec(text)?.[0]}`]
            : [],
        ),
      ]),
  );
});

test("only host, control and the outermost layer touch node:*; capabilities go through host", () => {
  check(
    product
      .filter(({ path, room }) => layers[room] === 3 && !isTest(path))
      .flatMap((source) =>
        source.imports
          .filter(({ from }) => from.startsWith("node:"))
          .map(({ line, from }) => `${source.path}:${line}: ${from} belongs in host/`),
      ),
  );
});

test(`files stop at ${linesMax} lines, half of them at ${medianLinesMax}`, () => {
  check(
    sources
      .filter(({ lines }) => lines.length - 1 > linesMax)
      .map(({ path, lines }) => `${path}: ${lines.length - 1} lines; split it by concept`),
  );
  const sizes = product
    .filter(({ path }) => !isTest(path))
    .map(({ lines }) => lines.length - 1)
    .sort((a, b) => a - b);
  const median = sizes[sizes.length >> 1] ?? 0;
  assert.ok(median <= medianLinesMax, `the median file of src has ${median} lines`);
});

test("names say what a file is about", () => {
  check(sources.filter(({ path }) => bannedNames.test(path)).map(({ path }) => `${path}: name it by the noun of the spec`));
});

test("every module of src begins by saying what it is", () => {
  check(
    product
      .filter(
        ({ path, lines }) =>
          !isTest(path) && !/^(\/\*\*|\/\/\/|#!)/.test(lines[0] ?? "") && !lines.slice(0, 30).some((line) => line.startsWith("/**")),
      )
      .map(({ path }) => `${path}: needs a head comment`),
  );
});
