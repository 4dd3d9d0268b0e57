/** A package written for CommonJS, with all that it requires, as one script for a page: `globalThis[name]` is what it exports. */
import { readFileSync } from "node:fs";
import { createRequire, isBuiltin } from "node:module";
import { join } from "node:path";

/** @throws where something is required that a browser has not */
export function scriptOf(entry: string, name: string): string {
  const modules = new Map<string, string>();
  const add = (file: string): void => {
    if (modules.has(file)) return;
    modules.set(file, "");
    const found = createRequire(file);
    const text = readFileSync(file, "utf8");
    const required = file.endsWith(".json") ? [] : [...text.matchAll(/\brequire\(['"]([^'"]+)['"]\)/g)].map(([, id = ""]) => id);
    const places = new Map(required.map((id) => [id, forBrowser(found, id)]));
    for (const place of places.values()) add(place);
    const body = file.endsWith(".json") ? `module.exports = ${text}` : text;
    modules.set(file, `[${JSON.stringify(Object.fromEntries(places))}, (module, exports, require) => {\n${body}\n}]`);
  };
  const first = createRequire(import.meta.url).resolve(entry);
  add(first);
  return `(() => {
const modules = {\n${[...modules].map(([file, text]) => `${JSON.stringify(file)}: ${text}`).join(",\n")}\n};
const made = {};
const load = (file) => {
  if (made[file]) return made[file].exports;
  const module = (made[file] = { exports: {} });
  const [places, run] = modules[file];
  run(module, module.exports, (id) => load(places[id]));
  return module.exports;
};
globalThis[${JSON.stringify(name)}] = load(${JSON.stringify(first)});
})();`;
}

/** What a package says a browser shall have in place of its main file. A trailing slash asks npm's package where Node has one of the same name. */
function forBrowser(found: NodeJS.Require, id: string): string {
  if (id.startsWith(".")) return found.resolve(id);
  const path = found.resolve(isBuiltin(id) ? `${id}/` : id);
  const folder = path.slice(0, path.lastIndexOf(`/node_modules/${id}/`) + `/node_modules/${id}`.length);
  const { browser } = JSON.parse(readFileSync(join(folder, "package.json"), "utf8")) as { browser?: unknown };
  return typeof browser === "string" ? join(folder, browser) : path;
}
