import assert from "node:assert/strict";
import { readdirSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { channelsPage, controlPage, livePage, page } from "./page.ts";

const app = page();
const control = page(controlPage);
const channels = page(channelsPage);
const browser = join(import.meta.dirname, "browser");

test("the pages and everything they refer to is served from here", async () => {
  const seen = new Set<string>();
  const visit = async (path: string, from = app, policy = livePage.policy): Promise<void> => {
    if (seen.has(path)) return;
    seen.add(path);
    const response = await from.request(path);
    assert.equal(response.status, 200, path);
    assert.equal(response.headers.get("content-security-policy"), policy);
    const text = await response.text();
    if (/^\/assets\/(hls|uplot)\./.test(path)) return;
    for (const [, name] of text.matchAll(/(?:src|href)="(\/[^"]+)"/g)) await visit(name!, from, policy);
    for (const [, name] of text.matchAll(/from "(\.\/|\/assets\/)([^"]+)"/g).map((match) => [match[0], match[2]]))
      await visit(`/assets/${name}`, from, policy);
  };
  await visit("/");
  assert.ok(seen.has("/assets/hls.js"));
  seen.delete("/");
  await visit("/", control, controlPage.policy);
  assert.ok(seen.has("/assets/control.ts"));
  seen.delete("/");
  await visit("/", channels, channelsPage.policy);
  assert.ok(seen.has("/assets/uplot.js") && seen.has("/accelerators"));
  const modules = readdirSync(browser).filter((name) => name.endsWith(".ts"));
  // A module of types alone is never asked for.
  assert.deepEqual(
    modules.filter((name) => !seen.has(`/assets/${name}`)),
    ["figures.ts"],
  );
});

test("what pages have in common is in each of them once, and is no page by itself", async () => {
  for (const [app, path] of [
    [page(), "/"],
    [page(), "/costs"],
    [control, "/"],
    [channels, "/"],
    [channels, "/accelerators"],
  ] as const) {
    const text = await (await app.request(path)).text();
    assert.equal(text.split('<meta charset="utf-8">').length, 2, path);
    assert.doesNotMatch(text, /<!-- /);
  }
  assert.equal((await control.request("/costs")).status, 404);
});

test("modules reach the browser as JavaScript without types and without imports a browser cannot follow", async () => {
  for (const name of readdirSync(browser).filter((file) => file.endsWith(".ts"))) {
    const response = await app.request(`/assets/${name}`);
    const text = await response.text();
    assert.match(response.headers.get("content-type")!, /^text\/javascript/);
    assert.doesNotMatch(text, /^(import type|export interface)|: (number|string|boolean)[;,)]/m, name);
    for (const [, from] of text.matchAll(/^import .* from "([^"]+)"/gm))
      assert.match(from!, /^(\.\/[a-z-]+\.ts|\/assets\/(hls|uplot)\.js)$/, name);
  }
});

test("a browser that has a file already is told so; a file that is not there is not", async () => {
  const first = await app.request("/assets/style.css");
  const etag = first.headers.get("etag")!;
  assert.equal((await app.request("/assets/style.css", { headers: { "if-none-match": etag } })).status, 304);
  for (const path of ["/assets/none.ts", "/assets/..%2fpage.ts", "/assets/page.test.ts", "/assets/", "/assets/hls.js.map"]) {
    assert.equal((await app.request(path)).status, 404, path);
  }
});
