/**
 * Serves the page: plain browser modules in TypeScript whose types are stripped on the way out, hls.js out of its package. Nothing is bundled, nothing
 * comes from another host.
 *
 *   GET /                            browser/page.html, the live origin's, or browser/control.html, a control process's
 *   GET /costs                       browser/costs.html: AWS IVS's prices beside those of one's own machines; of the live origin
 *   GET /assets/<name>.ts | .css     browser/<name>, types stripped; in the published package <name>.js, stripped when it was made
 *   GET /assets/hls.js               hls.js as an ES module
 *
 * Every file is read once. A reload asks again by ETag, so a new version is seen at once.
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

/** What is served at "/": a page of the folder, with what it may do in a browser. */
export interface Entry {
  readonly name: string;
  readonly policy: string;
}

/** Scripts of our own only; media come as blobs that the player fills. */
export const livePage: Entry = {
  name: "page.html",
  policy:
    "default-src 'self'; media-src 'self' blob:; connect-src 'self'; worker-src 'self' blob:; frame-ancestors 'none'; base-uri 'none'",
};

/** Scripts and styles of our own files, requests to this server, and nothing else. */
export const controlPage: Entry = {
  name: "control.html",
  policy:
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src data:; form-action 'none'; frame-ancestors 'none'; base-uri 'none'",
};

/** The page as an HTTP application, to be mounted at "/". */
export function page({ name: entry, policy }: Entry = livePage): Hono {
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
  assets.set(
    "hls.js",
    once(() => asset("text/javascript", readFileSync(hlsModule(), "utf8"))),
  );
  const app = new Hono();
  app.get("/", (context) => respond(assets.get(entry)?.(), context.req.header("if-none-match"), policy));
  app.get("/costs", (context) => respond(assets.get("costs.html")?.(), context.req.header("if-none-match"), policy));
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
  const script = path.endsWith(".ts") ? quietly(() => nodeModule.stripTypeScriptTypes(text)) : text;
  return script.replaceAll('from "hls.js"', 'from "/assets/hls.js"');
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

/** The build without DRM, subtitles and alternative audio, which a muxed live stream does not have. */
function hlsModule(): string {
  return join(dirname(createRequire(import.meta.url).resolve("hls.js")), "hls.light.min.mjs");
}

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
