/** What an S3 store may answer besides "yes"; against a real one: npm run test:s3. */
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { type TestContext, test } from "node:test";
import { S3Storage } from "./s3-storage.ts";

async function store(
  t: TestContext,
  answer: (request: IncomingMessage, response: ServerResponse, body: Buffer) => void,
): Promise<S3Storage> {
  const server = createServer(async (request, response) => {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    answer(request, response, Buffer.concat(chunks));
  });
  await new Promise<void>((done) => server.listen(0, "127.0.0.1", done));
  t.after(() => server.close());
  const endpoint = `http://127.0.0.1:${(server.address() as AddressInfo).port}/below/`;
  return new S3Storage({ endpoint, accessKeyId: "AN-ID", secretAccessKey: "A-SECRET", region: "eu-west-1", retryMs: 1 });
}

test("an object goes with its type and digest, signed, below the endpoint's path", async (t) => {
  const seen: [string, string | undefined, string | undefined, string, string | undefined][] = [];
  const storage = await store(t, ({ method, url, headers }, response, body) => {
    const { authorization, "content-type": type, "x-amz-content-sha256": digest } = headers;
    seen.push([`${method} ${url}`, type, authorization, body.toString(), digest as string]);
    response.end();
  });
  await storage.put("shows", "ivs/v1/playlist.m3u8", "#EXTM3U\n");
  const [what, type, authorization, body, digest] = seen[0]!;
  assert.deepEqual([what, type, body], ["PUT /below/shows/ivs/v1/playlist.m3u8", "application/vnd.apple.mpegurl", "#EXTM3U\n"]);
  assert.equal(digest, createHash("sha256").update("#EXTM3U\n").digest("hex"));
  assert.match(authorization!, /^AWS4-HMAC-SHA256 Credential=AN-ID\/\d{8}\/eu-west-1\/s3\/aws4_request, SignedHeaders=/);
});

test("a busy store is asked again, a refusal is said with its reason, what is not there is undefined", async (t) => {
  let busy = 3;
  const storage = await store(t, ({ url }, response) => {
    if (url!.endsWith("busy") && busy-- > 0) response.writeHead(503).end();
    else if (url!.endsWith("denied")) response.writeHead(403).end("<Error><Code>AccessDenied</Code><Message>no</Message></Error>");
    else if (url!.endsWith("missing")) response.writeHead(404).end("<Error><Code>NoSuchKey</Code></Error>");
    else response.end("bytes");
  });
  await storage.put("shows", "busy", "x");
  assert.deepEqual({ ...storage.counters }, { puts: 1, gets: 0, retries: 3, givenUp: 0 });
  await assert.rejects(storage.put("shows", "denied", "x"), { message: "PUT to bucket shows: 403 AccessDenied no" });
  assert.equal(await storage.get("shows", "missing"), undefined);
  assert.equal(new TextDecoder().decode(await storage.get("shows", "there")), "bytes");
  assert.equal(storage.counters.retries, 3);
});

test("a store that is not there is given up after some attempts, with the reason", async () => {
  const server = createServer();
  await new Promise<void>((done) => server.listen(0, "127.0.0.1", done));
  const endpoint = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  await new Promise((done) => server.close(done));
  const storage = new S3Storage({ endpoint, accessKeyId: "a", secretAccessKey: "b", region: "eu-west-1", retryMs: 0.1 });
  await assert.rejects(storage.put("shows", "key", "x"), /the store does not answer: .*ECONNREFUSED/);
  assert.equal(storage.counters.givenUp, 1);
});
