/**
 * Makes dist/: what the published package runs and declares. Inside node_modules Node strips no types, so there the types go beforehand.
 *
 *   src/                  ─ tsc ─▶ dist/                              JavaScript, declarations, source maps
 *   src/console/browser/  ─ types stripped ─▶ dist/console/browser/   what the page is served from; style and page as they are
 *
 * In a checkout nothing needs this: the sources run as they are.
 */
import { execFileSync } from "node:child_process";
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { stripTypeScriptTypes } from "node:module";
import { join } from "node:path";

const root = join(import.meta.dirname, "..");
const from = join(root, "src", "console", "browser");
const to = join(root, "dist", "console", "browser");

rmSync(join(root, "dist"), { recursive: true, force: true });
execFileSync(join(root, "node_modules", ".bin", "tsc"), ["-p", "tsconfig.build.json"], { cwd: root, stdio: "inherit" });
mkdirSync(to, { recursive: true });
for (const name of readdirSync(from)) {
  const text = readFileSync(join(from, name), "utf8");
  const script = name.endsWith(".ts") ? stripTypeScriptTypes(text) : text;
  writeFileSync(join(to, name.replace(/\.ts$/, ".js")), script.replaceAll(/"((?:\.|\/assets)\/[\w-]+)\.ts"/g, '"$1.js"'));
}
