/** The console's door: who may come in, for how long, and that what is done inside is checked and audited as signed requests are. */
import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";
import { silentLog } from "../../host/log.ts";
import { acceleratorService } from "../accelerator/api.ts";
import { AcceleratorInstallation } from "../testing/accelerator-installation.ts";
import { consoleApi } from "./console-api.ts";
import { SESSION_SECONDS, Sessions } from "./sessions.ts";

const OURS = { "x-longhaul-console": "1" };

async function started(t: TestContext) {
  let now = 1_800_000_000_000;
  const { context, credentials } = await AcceleratorInstallation.start(t, { now: () => now });
  const master = new Uint8Array(32).fill(9);
  const app = consoleApi(acceleratorService(context, credentials, silentLog), new Sessions(credentials, master));
  const signIn = async (id: string, secret: string, headers: Record<string, string> = OURS) => {
    const body = JSON.stringify({ accessKeyId: id, secretAccessKey: secret });
    const response = await app.request("/console/session", { method: "POST", headers, body });
    return { status: response.status, cookie: response.headers.get("set-cookie") ?? "" };
  };
  const ask = (method: string, path: string, cookie: string, body?: string) =>
    app.request(path, { method, headers: { ...OURS, cookie: cookie.split(";")[0]! }, ...(body === undefined ? {} : { body }) });
  return { context, credentials, signIn, ask, pass: (ms: number) => (now += ms) };
}

test("a key and its secret open a session that no script reads, until it is old or the key is deleted", async (t) => {
  const { credentials, signIn, ask, pass } = await started(t);
  const { id, secret } = await credentials.create("operator", "", 0);
  for (const [key, word] of [
    [id, `${secret}x`],
    [id, ""],
    ["AKIANONE", secret],
  ])
    assert.equal((await signIn(key!, word!)).status, 401);
  assert.equal((await signIn(id, secret, {})).status, 403, "another site's page");
  const { status, cookie } = await signIn(id, secret);
  assert.equal(status, 204);
  assert.match(cookie, /; HttpOnly/);
  assert.match(cookie, /; SameSite=Strict/);
  assert.ok(!cookie.includes(secret));
  assert.deepEqual(await (await ask("GET", "/console/session", cookie)).json(), { accessKey: id, role: "operator" });
  const forged = [
    cookie.replace("AKIA", "AKIB"),
    cookie.replace(/\.(\w)/, (_, digit) => `.${digit === "z" ? "y" : "z"}`),
    cookie.slice(0, 60),
    "",
  ];
  for (const wrong of forged) assert.equal((await ask("GET", "/console/session", wrong)).status, 401, wrong);
  pass(SESSION_SECONDS * 1000 - 1);
  assert.equal((await ask("GET", "/console/edges", cookie)).status, 200);
  pass(2);
  assert.equal((await ask("GET", "/console/edges", cookie)).status, 401, "too old");
  const { cookie: later } = await signIn(id, secret);
  await credentials.delete(id);
  assert.equal((await ask("GET", "/console/session", later)).status, 401, "its key is gone");
});

test("operations are allowed by role, answered as by the API, and audited", async (t) => {
  const { context, credentials, signIn, ask } = await started(t);
  const { id, secret } = await credentials.create("operator", "", 0);
  const { cookie } = await signIn(id, secret);
  const call = async (operation: string, body: string, who = cookie) => {
    const response = await ask("POST", `/console/api/${operation}`, who, body);
    return { status: response.status, body: (await response.json()) as Record<string, unknown> };
  };
  assert.deepEqual((await call("ListAccelerators", "{}")).body, { Accelerators: [] });
  assert.equal((await call("ListAccelerators", "{}", "")).body.__type, "MissingAuthenticationTokenException");
  assert.equal((await call("ListAccelerators", '{"MaxResults":0}')).body.__type, "InvalidArgumentException");
  assert.equal((await call("CreateAccelerator", '{"Name":"a","IdempotencyToken":"t"}')).body.__type, "AccessDeniedException");
  assert.equal(
    (await call("AddEndpoints", '{"EndpointConfigurations":[],"EndpointGroupArn":"x"}')).body.__type,
    "InvalidArgumentException",
  );
  const rows = await context.database.selectFrom("audit").selectAll().orderBy("id").execute();
  assert.deepEqual(
    rows.map(({ access_key, operation, outcome }) => [access_key, operation, outcome]),
    [
      [id, "ConsoleSignIn", "ok"],
      [id, "CreateAccelerator", "AccessDeniedException"],
      [id, "AddEndpoints", "InvalidArgumentException"],
    ],
  );
});
