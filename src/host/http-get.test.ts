import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer, type RequestListener } from "node:http";
import type { AddressInfo } from "node:net";
import { test } from "node:test";
import { HostError } from "../base/errors.ts";
import { httpGet } from "./http-get.ts";

async function served(answer: RequestListener, run: (port: number) => Promise<void>): Promise<void> {
  const server = createServer(answer).listen(0, "127.0.0.1");
  await once(server, "listening");
  try {
    await run((server.address() as AddressInfo).port);
  } finally {
    server.closeAllConnections();
    server.close();
  }
}

const code = (expected: string) => (error: unknown) => error instanceof HostError && error.code === expected;

test("status and body; too long an answer, a late one and nobody at all are errors with a code", async () => {
  let port = 0;
  await served(
    (request, response) => {
      if (request.url === "/late") return;
      response.statusCode = 418;
      response.end("é".repeat(50));
    },
    async (at) => {
      port = at;
      assert.deepEqual(await httpGet({ host: "127.0.0.1", port }, "/", 5000, 100), { status: 418, body: "é".repeat(50) });
      await assert.rejects(httpGet({ host: "127.0.0.1", port }, "/", 5000, 99), code("EMSGSIZE"));
      await assert.rejects(httpGet({ host: "127.0.0.1", port }, "/late", 50, 100), code("ETIMEDOUT"));
    },
  );
  await assert.rejects(httpGet({ host: "127.0.0.1", port }, "/", 5000, 100), code("ECONNREFUSED"));
  await assert.rejects(httpGet({ path: "/nowhere/at/all" }, "/", 5000, 100), code("ENOENT"));
});
