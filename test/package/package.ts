/**
 * The package as its users get it: packed, installed into an empty project, type-checked there, its examples and programs run.
 *
 *   copy of the checkout ─ npm pack ─▶ longhaul-X.tgz ─ npm install ─▶ empty project ─┬▶ tsc --strict over every door and the examples
 *                                                                                      ├▶ the examples, as test/examples.test.ts runs them
 *                                                                                      └▶ longhaul, kcptun-client, kcptun-server
 *
 *   npm run test:package            needs the package registry or npm's cache for the dependencies
 */
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, realpathSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { examples } from "./examples.ts";
import { programsRun } from "./programs.ts";

const root = join(import.meta.dirname, "..", "..");
/** The Nodes that the installed package runs on: the pinned one and npm's own, which is the machine's. */
const nodes = [...new Set([process.execPath, process.env.npm_node_execpath ?? process.execPath].map((path) => realpathSync(path)))];
const packed = [
  "assets",
  "bin",
  "package",
  "src",
  "CHANGELOG.md",
  "LICENSE",
  "README.md",
  "package.json",
  "tsconfig.build.json",
  "tsconfig.json",
];

function step(text: string): void {
  console.log(`${(performance.now() / 1000).toFixed(1).padStart(6)} s  ${text}`);
}

/** Packs a copy, so that the checkout's own manifest is never touched. */
function pack(into: string): string {
  for (const name of packed) cpSync(join(root, name), join(into, name), { recursive: true });
  symlinkSync(join(root, "node_modules"), join(into, "node_modules"));
  // What the compiler finds is on its standard output.
  execFileSync("npm", ["pack", "--silent"], { cwd: into, stdio: ["ignore", process.stderr, "inherit"] });
  assert.equal(readFileSync(join(into, "package.json"), "utf8"), readFileSync(join(root, "package.json"), "utf8"), "postpack restores");
  const { version } = JSON.parse(readFileSync(join(root, "package.json"), "utf8")) as { version: string };
  return join(into, `longhaul-${version}.tgz`);
}

function install(tarball: string, project: string): void {
  mkdirSync(project);
  writeFileSync(join(project, "package.json"), JSON.stringify({ name: "consumer", version: "1.0.0", type: "module", private: true }));
  execFileSync("npm", ["install", "--prefer-offline", "--no-audit", "--no-fund", "--silent", tarball], { cwd: project, stdio: "inherit" });
  assert.ok(!existsSync(join(project, "node_modules", ".bin", "node")), "the package brings no Node into other projects");
  assert.ok(!existsSync(join(project, "node_modules", "longhaul", "src")), "the package holds no TypeScript sources");
}

/** Imports every door by name and under its own name, as strictly as a consumer may check. */
function typecheck(project: string): void {
  const { exports } = JSON.parse(readFileSync(join(root, "package.json"), "utf8")) as { exports: Record<string, unknown> };
  const doors = Object.keys(exports)
    .filter((door) => /^\.\/[a-z0-9]+$/.test(door))
    .map((door) => door.slice(2));
  const named = doors.filter((door) => door !== "crypto");
  const lines = [
    ...named.map((door) => `import { ${door} } from "longhaul/${door}";`),
    `import * as all from "longhaul";`,
    `import { Kcp, type KcpOptions } from "longhaul/kcp";`,
    `const options: KcpOptions = { conv: 1, mtu: 1400, sndWnd: 1, rcvWnd: 1, nodelay: 1, interval: 10, resend: 2, nc: 1, profile: "2026" };`,
    `const one: kcp.Kcp = new Kcp(options);`,
    `// @ts-expect-error a wrong type is seen, so the declarations are found`,
    `const wrong: string = one.readable;`,
    `console.log(typeof wrong, ${named.map((door) => `${door} === all.${door}`).join(", ")});`,
  ];
  writeFileSync(join(project, "doors.ts"), `${lines.join("\n")}\n`);
  cpSync(join(root, "examples"), join(project, "examples"), { recursive: true });
  const compilerOptions = {
    ...{ strict: true, skipLibCheck: false, target: "es2023", module: "nodenext", noEmit: false, outDir: "built", rootDir: "." },
    ...{ types: ["node"], typeRoots: [join(root, "node_modules", "@types")], exactOptionalPropertyTypes: true },
  };
  writeFileSync(join(project, "tsconfig.json"), JSON.stringify({ compilerOptions, include: ["doors.ts", "examples"] }));
  execFileSync(join(root, "node_modules", ".bin", "tsc"), ["-p", "."], { cwd: project, stdio: "inherit" });
  for (const node of nodes) {
    const same = execFileSync(node, ["built/doors.js"], { cwd: project, encoding: "utf8" }).trim().split(" ");
    assert.deepEqual(same, ["number", ...named.map(() => "true")]);
  }
}

const scratch = mkdtempSync(join(tmpdir(), "longhaul-package-"));
try {
  mkdirSync(join(scratch, "copy"));
  const tarball = pack(join(scratch, "copy"));
  step("packed");
  const project = join(scratch, "project");
  install(tarball, project);
  step("installed into an empty project");
  typecheck(project);
  step("every door and example type-checks");
  for (const node of nodes) {
    const version = execFileSync(node, ["--version"], { encoding: "utf8" }).trim();
    for (const check of Object.values(examples)) await check((name) => [node, join(project, "built", "examples", `${name}.js`)]);
    step(`the examples do what they say, on Node ${version}`);
    await programsRun(project, dirname(node));
    step(`longhaul, kcptun-client and kcptun-server run, on Node ${version}`);
  }
} finally {
  rmSync(scratch, { recursive: true, force: true });
}
