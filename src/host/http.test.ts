import assert from "node:assert/strict";
import { once } from "node:events";
import { existsSync, mkdtempSync, renameSync, rmSync, statSync } from "node:fs";
import { get, type IncomingMessage } from "node:http";
import { connect, createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { gunzipSync } from "node:zlib";
import { HostError } from "../base/errors.ts";
import { gzip, serveHttp } from "./http.ts";

test("an application is served on a real socket, with its headers and bytes", async () => {
  const server = await serveHttp((request) => new Response(new Uint8Array(3), { headers: { "x-path": new URL(request.url).pathname } }), {
    host: "127.0.0.1",
    port: 0,
  });
  const response = await fetch(`http://127.0.0.1:${server.local.port}/a/b`);
  assert.deepEqual([response.headers.get("x-path"), (await response.arrayBuffer()).byteLength], ["/a/b", 3]);
  await server.close();
  await assert.rejects(fetch(`http://127.0.0.1:${server.local.port}/`));
});

test("an address that is taken is a HostError that names it", async () => {
  const first = await serveHttp(() => new Response(), { host: "127.0.0.1", port: 0 });
  await assert.rejects(
    serveHttp(() => new Response(), first.local),
    (error: unknown) => {
      assert.ok(error instanceof HostError);
      assert.deepEqual([error.code, error.syscall, error.address], ["EADDRINUSE", "listen", `127.0.0.1:${first.local.port}`]);
      return true;
    },
  );
  await first.close();
});

test("connections beyond the limit are dropped and counted; closing ends those that idle", async () => {
  const server = await serveHttp(() => new Response(), { host: "127.0.0.1", port: 0, connectionsMax: 1 });
  const ended = (): Promise<void> =>
    new Promise((resolve) => {
      const socket = connect(server.local.port, "127.0.0.1");
      socket.on("error", () => {});
      socket.on("close", () => resolve());
    });
  const first = ended();
  await ended();
  assert.equal(server.counters.connectionsDropped, 1);
  await server.close();
  await first;
});

test("a request whose client hangs up is told so by its signal", async () => {
  let aborted = (): void => {};
  const told = new Promise<void>((resolve) => (aborted = resolve));
  const server = await serveHttp(
    (request) =>
      new Promise((resolve) => {
        request.signal.addEventListener("abort", () => {
          aborted();
          resolve(new Response());
        });
      }),
    { host: "127.0.0.1", port: 0 },
  );
  const hangUp = new AbortController();
  const response = fetch(`http://127.0.0.1:${server.local.port}/`, { signal: hangUp.signal });
  setTimeout(() => hangUp.abort(), 50);
  await assert.rejects(response);
  await told;
  await server.close();
});

test("gzip is undone by gunzip", () => {
  const text = "#EXTM3U\n".repeat(100);
  const packed = gzip(text);
  assert.ok(packed.length < 60);
  assert.equal(gunzipSync(packed).toString(), text);
});

test("a unix socket: served with its permissions, removed at the end, taken over from the dead and not from the living", async () => {
  const folder = mkdtempSync(join(tmpdir(), "longhaul-http-"));
  const path = join(folder, "s");
  const dead = createServer().listen(path);
  await once(dead, "listening");
  // What kill -9 leaves behind: the file, and nobody who listens.
  renameSync(path, `${path}2`);
  dead.close();
  await once(dead, "close");
  renameSync(`${path}2`, path);
  const server = await serveHttp(() => new Response("here"), { path, mode: 0o600 });
  assert.equal(statSync(path).mode & 0o777, 0o600);
  await assert.rejects(
    serveHttp(() => new Response(), { path }),
    (error: unknown) => error instanceof HostError && error.code === "EADDRINUSE",
  );
  const answer = await new Promise<IncomingMessage>((settle) => get({ socketPath: path, path: "/" }, settle));
  assert.equal(String((await answer.toArray()).join("")), "here");
  await server.close();
  assert.equal(existsSync(path), false);
  rmSync(folder, { recursive: true });
});

test("closing with patience: what is asked already is answered, and nothing is waited for afterwards", async () => {
  let answer: () => void = () => {};
  const asked = new Promise<void>((heard) => {
    answer = heard;
  });
  let release: (response: Response) => void = () => {};
  const server = await serveHttp(
    () =>
      new Promise<Response>((resolve) => {
        release = resolve;
        answer();
      }),
    { host: "127.0.0.1", port: 0 },
  );
  const response = fetch(`http://127.0.0.1:${server.local.port}/`);
  await asked;
  const closed = server.close(60_000);
  await assert.rejects(fetch(`http://127.0.0.1:${server.local.port}/`), "nobody new is let in");
  release(new Response("done"));
  assert.equal(await (await response).text(), "done");
  await closed;
});
