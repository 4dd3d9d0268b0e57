/**
 * The manifest that is published is not the checkout's: who installs the package needs no compiler, no linter and no second Node.
 *
 *   prepack:   node package/manifest.ts slim       package.json ─▶ .tmp/package.json; a slim one takes its place
 *   postpack:  node package/manifest.ts restore    and back, byte by byte
 */
import { copyFileSync, existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";

const root = join(import.meta.dirname, "..");
const manifest = join(root, "package.json");
const saved = join(root, ".tmp", "package.json");

/** What the built JavaScript runs on: Debian 13's Node is the oldest (tsconfig.build.json's `lib` keeps to it). The checkout brings its own. */
const engines = { node: ">=20.19" };
const development = ["private", "scripts", "devDependencies", "optionalDependencies", "allowScripts"];

function restore(): void {
  if (!existsSync(saved)) return;
  copyFileSync(saved, manifest);
  rmSync(saved);
}

function slim(): void {
  // A pack that was interrupted has left the slim one behind.
  restore();
  mkdirSync(join(root, ".tmp"), { recursive: true });
  copyFileSync(manifest, saved);
  const whole = JSON.parse(readFileSync(manifest, "utf8")) as Record<string, unknown>;
  const kept = Object.entries(whole).filter(([key]) => !development.includes(key));
  writeFileSync(manifest, `${JSON.stringify({ ...Object.fromEntries(kept), engines }, null, 2)}\n`);
}

if (process.argv[2] === "slim") slim();
else if (process.argv[2] === "restore") restore();
else throw new Error("give slim or restore");
