import assert from "node:assert/strict";
import { test } from "node:test";
import { Ivs } from "@aws-sdk/client-ivs";
import { Installation } from "../testing/installation.ts";

interface Sent {
  readonly url: string;
  readonly init: { method: string; headers: Record<string, string>; body: string };
}

/** A request as the SDK sent it, to send it again, changed. */
async function recorded(t: Parameters<typeof Installation.start>[0], signedAgo = 0) {
  const installation = await Installation.start(t);
  let sent: Sent | undefined;
  const client = new Ivs({ ...(await installation.client()), systemClockOffset: -signedAgo });
  client.middlewareStack.add(
    (next) => async (args) => {
      const request = args.request as { method: string; path: string; headers: Record<string, string>; body: string };
      sent = { url: installation.url + request.path, init: { method: request.method, headers: request.headers, body: request.body } };
      return next(args);
    },
    { step: "finalizeRequest", priority: "low" },
  );
  const outcome = await client.createChannel({ name: "a" }).then(
    () => "ok",
    (error: Error) => error.name,
  );
  return { installation, sent: sent!, outcome };
}

async function again({ url, init }: Sent): Promise<string> {
  const { host: _, ...headers } = init.headers;
  const response = await fetch(url, { ...init, headers });
  return response.ok ? "ok" : `${response.status} ${response.headers.get("x-amzn-errortype")}`;
}

test("only what was signed is believed", async (t) => {
  const { sent, outcome } = await recorded(t);
  const { headers } = sent.init;
  const withHeaders = (change: Record<string, string>): Sent => ({ ...sent, init: { ...sent.init, headers: { ...headers, ...change } } });
  assert.equal(outcome, "ok");
  assert.equal(await again({ ...sent, init: { ...sent.init, body: '{"name":"b"}' } }), "403 InvalidSignatureException");
  assert.equal(await again({ ...sent, url: sent.url.replace("CreateChannel", "ListChannels") }), "403 InvalidSignatureException");
  assert.equal(await again({ ...sent, url: `${sent.url}?x=1` }), "403 InvalidSignatureException");
  const authorization = headers.authorization!;
  assert.equal(await again(withHeaders({ authorization: "" })), "403 MissingAuthenticationTokenException");
  assert.equal(await again(withHeaders({ authorization: authorization.replace(/AKIA\w/, "AKIB2") })), "403 UnrecognizedClientException");
  assert.equal(await again(withHeaders({ authorization: authorization.replace("/ivs/", "/s3/") })), "403 InvalidSignatureException");
  assert.equal(await again(withHeaders({ "x-amz-date": "20200101T000000Z" })), "403 InvalidSignatureException");
  assert.equal(await again(withHeaders({ "x-amz-date": "yesterday" })), "403 InvalidSignatureException");
});

test("a request signed too long ago is refused, whatever it says", async (t) => {
  assert.equal((await recorded(t, 10 * 60_000)).outcome, "InvalidSignatureException");
});

test("a request is done once: its copy is refused when the second it was signed in has passed", async (t) => {
  const { sent, outcome } = await recorded(t, 60_000);
  assert.equal(outcome, "ok");
  assert.equal(await again(sent), "403 InvalidSignatureException");
});
