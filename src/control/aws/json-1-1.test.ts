/** The wire of JSON 1.1: what an HTTP client sees that is no SDK, and what only a signed request may do. */
import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";
import { GlobalAccelerator } from "@aws-sdk/client-global-accelerator";
import { HttpRequest } from "@smithy/protocol-http";
import { SignatureV4 } from "@smithy/signature-v4";
import { AcceleratorInstallation } from "../testing/accelerator-installation.ts";
import { Sha256 } from "./sha256.ts";

const TARGET = "GlobalAccelerator_V20180706.";

async function started(t: TestContext) {
  const installation = await AcceleratorInstallation.start(t);
  const { credentials } = await installation.client();
  const send = async (
    target: string,
    body: string,
    { region = "us-west-2", service = "globalaccelerator", at = Date.now(), change = (r: HttpRequest) => r } = {},
  ) => {
    const { host } = new URL(installation.url);
    const signer = new SignatureV4({ credentials, region, service, sha256: Sha256, uriEscapePath: true });
    const headers = { host, "content-type": "application/x-amz-json-1.1", "x-amz-target": target };
    const request = new HttpRequest({ method: "POST", protocol: "http:", hostname: host, path: "/", headers, body });
    const signed = change((await signer.sign(request, { signingDate: new Date(at) })) as HttpRequest);
    const { host: _, ...rest } = signed.headers;
    const response = await fetch(installation.url, { method: "POST", headers: rest, body: signed.body as string });
    return { status: response.status, headers: response.headers, body: (await response.json()) as Record<string, unknown> };
  };
  return { installation, send };
}

test("answers are JSON 1.1, signed for whatever region; errors have their type and their sentence twice", async (t) => {
  const { send } = await started(t);
  const listed = await send(`${TARGET}ListAccelerators`, "{}", { region: "eu-central-1" });
  assert.equal(listed.status, 200);
  assert.equal(listed.headers.get("content-type"), "application/x-amz-json-1.1");
  assert.match(listed.headers.get("x-amzn-requestid")!, /^[0-9a-f-]{36}$/);
  assert.deepEqual(listed.body, { Accelerators: [] });
  const refused = await send(`${TARGET}DescribeAccelerator`, '{"AcceleratorArn":"x"}');
  assert.equal(refused.status, 400);
  assert.equal(refused.body.__type, "InvalidArgumentException");
  assert.equal(refused.body.Message, refused.body.message);
  assert.equal(refused.headers.get("x-amzn-errortype"), "InvalidArgumentException");
  const made = await send(`${TARGET}CreateAccelerator`, '{"Name":"a","IdempotencyToken":"t","Tags":null,"Enabled":null}');
  const { CreatedTime } = made.body.Accelerator as { CreatedTime: number };
  assert.ok(Math.abs(CreatedTime - Date.now() / 1000) < 60, "seconds");
});

test("what is no request of this API", async (t) => {
  const { send } = await started(t);
  const type = async (...args: Parameters<typeof send>) => {
    const { status, body } = await send(...args);
    return `${status} ${body.__type}`;
  };
  const list = `${TARGET}ListAccelerators`;
  assert.equal(await type(`${TARGET}Nothing`, "{}"), "400 UnknownOperationException");
  assert.equal(await type(`${TARGET}toString`, "{}"), "400 UnknownOperationException");
  assert.equal(await type("GlobalAccelerator_V20990101.ListAccelerators", "{}"), "400 UnknownOperationException");
  assert.equal(await type("", "{}"), "400 UnknownOperationException");
  assert.equal(await type(list, "{"), "400 SerializationException");
  assert.equal(await type(list, "[]"), "400 SerializationException");
  assert.equal(await type(list, `{"MaxResults":${"[".repeat(30_000)}${"]".repeat(30_000)}}`), "400 SerializationException");
  assert.equal(await type(list, `{"NextToken":"${"x".repeat(70_000)}"}`), "400 InvalidArgumentException");
  assert.equal(await type(list, '{"MaxResults":"5"}'), "400 InvalidArgumentException");
  assert.equal(await type(list, '{"Unknown":5}'), "400 InvalidArgumentException");
  assert.equal(await type(list, '{"__proto__":{"a":1}}'), "400 InvalidArgumentException");
  assert.equal(await type(list, "{}", { service: "ivs" }), "400 InvalidSignatureException");
  assert.equal(await type(list, "{}", { at: Date.now() - 600_000 }), "400 InvalidSignatureException");
  const tampered = (request: HttpRequest): HttpRequest => Object.assign(request, { body: '{"MaxResults":5}' });
  assert.equal(await type(list, "{}", { change: tampered }), "400 InvalidSignatureException");
  const otherTarget = (request: HttpRequest): HttpRequest => {
    request.headers["x-amz-target"] = `${TARGET}ListByoipCidrs`;
    return request;
  };
  assert.equal(await type(list, "{}", { change: otherTarget }), "400 InvalidSignatureException");
  const unsigned = (request: HttpRequest): HttpRequest => {
    delete request.headers.authorization;
    return request;
  };
  assert.equal(await type(list, "{}", { change: unsigned }), "400 MissingAuthenticationTokenException");
  const late = Date.now() - 60_000;
  assert.equal(await type(list, "{}", { at: late }), "200 undefined");
  assert.equal(await type(list, "{}", { at: late }), "400 InvalidSignatureException", "the same, again");
});

test("a key that is deleted opens nothing", async (t) => {
  const { installation } = await started(t);
  const given = await installation.client();
  const client = new GlobalAccelerator(given);
  await client.listAccelerators({});
  await installation.credentials.delete(given.credentials.accessKeyId);
  await assert.rejects(client.listAccelerators({}), (error: Error) => error.name === "UnrecognizedClientException");
});
