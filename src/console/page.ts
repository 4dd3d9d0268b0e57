/**
 * Serves the pages: plain browser modules in TypeScript whose types are stripped on the way out, hls.js and uPlot out of their packages. Nothing is bundled, nothing
 * comes from another host.
 *
 *   GET /                            the entry's page: browser/page.html, the live origin's; browser/channels.html, that of an installation's API;
 *                                    browser/control.html, a control process's
 *   GET /costs, /accelerators        further pages of an entry
 *   GET /assets/<name>.ts | .css     browser/<name>, types stripped; in the published package <name>.js, stripped when it was made
 *   GET /assets/hls.js, uplot.js     as ES modules; uplot.css
 *
 * What several pages have in common stands in a file of its own and is put in for <!-- its name -->. Every file is read once. A reload asks again by ETag, so a new version is seen at once.
 */
import { createHash } from "node:crypto";
import { readdirSync, readFileSync } from "node:fs";
import nodeModule, { createRequire } from "node:module";
import { dirname, extname, join } from "node:path";
import { Hono } from "hono";

interface Asset {
  readonly type: string;
  readonly body: string;
  readonly etag: string;
}

/** Pages of the folder, by their address, with what they may do in a browser. */
export interface Entry {
  readonly pages: Readonly<Record<string, string>>;
  readonly policy: string;
}

/** Scripts of our own only; media come as blobs that the player fills. */
export const livePage: Entry = {
  pages: { "/": "page.html", "/costs": "costs.html" },
  policy:
    "default-src 'self'; media-src 'self' blob:; connect-src 'self'; worker-src 'self' blob:; frame-ancestors 'none'; base-uri 'none'",
};

const closed =
  "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src data:; form-action 'none'; frame-ancestors 'none'; base-uri 'none'";

/** Scripts and styles of our own files, requests to this server, and nothing else. */
export const controlPage: Entry = { pages: { "/": "control.html" }, policy: closed };

/** The same, and a player. */
export const channelsPage: Entry = {
  pages: { "/": "channels.html", "/accelerators": "control.html" },
  policy: `${closed}; media-src 'self' blob:`,
};

/** The pages as an HTTP application, to be mounted at "/". */
export function page({ pages, policy }: Entry = livePage): Hono {
  const assets = new Map<string, () => Asset>();
  const folder = join(import.meta.dirname, "browser");
  for (const name of readdirSync(folder)) {
    const type = contentTypes[extname(name)];
    if (type !== undefined)
      assets.set(
        name,
        once(() => asset(type, read(join(folder, name)))),
      );
  }
  for (const [name, path] of packaged)
    assets.set(
      name,
      once(() => asset(contentTypes[extname(name)]!, readFileSync(path(), "utf8"))),
    );
  const app = new Hono();
  for (const [path, name] of Object.entries(pages))
    app.get(path, (context) => respond(assets.get(name)?.(), context.req.header("if-none-match"), policy));
  app.get("/assets/:name", (context) => respond(assets.get(context.req.param("name"))?.(), context.req.header("if-none-match"), policy));
  return app;
}

function respond(found: Asset | undefined, known: string | undefined, policy: string): Response {
  if (found === undefined) return new Response("no such file\n", { status: 404 });
  const headers = {
    "content-type": `${found.type}; charset=utf-8`,
    "cache-control": "no-cache",
    etag: found.etag,
    "x-content-type-options": "nosniff",
    "content-security-policy": policy,
    "referrer-policy": "no-referrer",
  };
  return known === found.etag ? new Response(null, { status: 304, headers }) : new Response(found.body, { headers });
}

function asset(type: string, body: string): Asset {
  return { type, body, etag: `"${createHash("sha256").update(body).digest("base64url").slice(0, 22)}"` };
}

/** A browser finds packages by address, not by name. */
function read(path: string): string {
  const text = readFileSync(path, "utf8");
  // "<!-- head -->": what several pages have in common stands in a file of its own.
  if (path.endsWith(".html"))
    return text.replace(/<!-- ([a-z-]+) -->/g, (_, name: string) => readFileSync(join(dirname(path), `${name}.html`), "utf8").trimEnd());
  const script = path.endsWith(".ts") ? quietly(() => nodeModule.stripTypeScriptTypes(text)) : text;
  return script.replaceAll('from "hls.js"', 'from "/assets/hls.js"').replaceAll('from "uplot"', 'from "/assets/uplot.js"');
}

/** Node calls stripping experimental, and says so once on standard error; the pinned version is the one this was tried with. */
function quietly<T>(work: () => T): T {
  const { emitWarning } = process;
  process.emitWarning = () => {};
  try {
    return work();
  } finally {
    process.emitWarning = emitWarning;
  }
}

const folderOf = (name: string): string => dirname(createRequire(import.meta.url).resolve(name));

/** Files of packages. Of hls.js the build without DRM, subtitles and alternative audio, which a muxed live stream does not have. */
const packaged: readonly (readonly [name: string, path: () => string])[] = [
  ["hls.js", () => join(folderOf("hls.js"), "hls.light.min.mjs")],
  ["uplot.js", () => join(folderOf("uplot"), "uPlot.esm.js")],
  ["uplot.css", () => join(folderOf("uplot"), "uPlot.min.css")],
];

function once<T>(make: () => T): () => T {
  let made: T | undefined;
  return () => (made ??= make());
}

const contentTypes: Readonly<Record<string, string>> = {
  ".html": "text/html",
  ".css": "text/css",
  ".js": "text/javascript",
  ".ts": "text/javascript",
};
