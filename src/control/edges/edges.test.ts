import assert from "node:assert/strict";
import { X509Certificate } from "node:crypto";
import { test } from "node:test";
import { formatJoinToken, parseJoinToken } from "../../accelerate/join-token.ts";
import { certificateRequest } from "../../host/certificate-request.ts";
import { openLines } from "../../host/http2-client.ts";
import { until } from "../../host/testing/each-loop.ts";
import { healthKey } from "../accelerator/context.ts";
import { Seal } from "../seal.ts";
import { openDatabase } from "../store/database.ts";
import { EdgeInstallation, joinWith, TestEdge } from "../testing/edge-installation.ts";
import { Authority } from "./authority.ts";

test("a join token works once, in its time, for nobody but whom it names", async (t) => {
  const installation = await EdgeInstallation.start(t);
  const token = await installation.token();
  const { id, certificate } = await joinWith(token);
  assert.equal(new X509Certificate(certificate).subject, `CN=${id}`);
  await assert.rejects(joinWith(token), /status 401/);
  const late = await installation.token(-1);
  await assert.rejects(joinWith(late), /status 401/);
  const parts = parseJoinToken(await installation.token())!;
  await assert.rejects(joinWith(formatJoinToken({ ...parts, fingerprint: "0".repeat(64) })), { code: "EPROTO" });
  await assert.rejects(joinWith(formatJoinToken({ ...parts, secret: "x".repeat(32) })), /status 401/);
  const both = await Promise.allSettled([joinWith(formatJoinToken(parts)), joinWith(formatJoinToken(parts))]);
  assert.equal(both.filter(({ status }) => status === "fulfilled").length, 1, "of two who try at once one succeeds");
  assert.equal((await installation.registry.list()).length, 2);
});

test("the store has no secret in the clear", async (t) => {
  const installation = await EdgeInstallation.start(t);
  const { secret } = parseJoinToken(await installation.token())!;
  const rows = JSON.stringify([
    await installation.database.selectFrom("edge_tokens").selectAll().execute(),
    await installation.database.selectFrom("edge_authority").selectAll().execute(),
  ]);
  assert.ok(!rows.includes(secret) && !rows.includes("PRIVATE KEY"));
});

test("a bad token is told from a good one without asking anybody", () => {
  for (const text of ["", "lhj1.", "lhj1.e30", "lhj2.abc", `lhj1.${btoa('{"c":[],"f":"","s":""}')}`, "x".repeat(10_000)])
    assert.equal(parseJoinToken(text), undefined);
});

test("streams are for edges that have joined: no certificate, somebody else's and a removed edge's are refused", async (t) => {
  const installation = await EdgeInstallation.start(t);
  const edge = await installation.join();
  const at = { host: "127.0.0.1", port: installation.servers[0]!.server.port };
  const open = (identity: typeof edge.identity) => openLines(at, identity, "/stream", 3000, 1000, { line: () => {}, closed: () => {} });
  const good = await open(edge.identity);
  good.close();
  const database = await openDatabase(":memory:");
  const foreign = await Authority.open(database, new Seal(new Uint8Array(32)), Date.now());
  const { key, request } = await certificateRequest("x");
  const { certificate } = await foreign.vouchForEdge(edge.id, request, Date.now());
  await assert.rejects(open({ ...edge.identity, certificate, key }), { code: "EACCES" });
  await assert.rejects(open({ ...edge.identity, authority: foreign.certificate }), "and an edge talks to nobody else's control");
  const control = await installation.authority.vouchForControl(["127.0.0.1"], Date.now());
  await assert.rejects(open({ ...edge.identity, certificate: control.cert, key: control.key }), { code: "EACCES" });
  await database.destroy();
  assert.equal(await installation.registry.remove(edge.id), true);
  await assert.rejects(open(edge.identity), { code: "EACCES" });
});

test("an edge's certificate is not good for serving: nobody who has joined can pass for control", async (t) => {
  const installation = await EdgeInstallation.start(t);
  const [liar, edge] = [await installation.join(), await installation.join()];
  const { createSecureServer } = await import("node:http2");
  const server = createSecureServer({
    cert: `${liar.identity.certificate}\n${installation.authority.certificate}`,
    key: liar.identity.key,
  });
  t.after(() => server.close());
  const port = await new Promise<number>((done) => server.listen(0, "127.0.0.1", () => done((server.address() as { port: number }).port)));
  const open = openLines({ host: "127.0.0.1", port }, edge.identity, "/stream", 3000, 1000, { line: () => {}, closed: () => {} });
  await assert.rejects(open);
  const token = formatJoinToken({ ...parseJoinToken(await installation.token())!, addresses: [`127.0.0.1:${port}`] });
  await assert.rejects(joinWith(token), { code: "EPROTO" });
});

test("edges get the whole at first, then only what differs, and say what they serve", async (t) => {
  const installation = await EdgeInstallation.start(t);
  const { source, registry } = installation;
  source.put("a");
  source.put("b");
  const edge = await installation.join();
  assert.equal(await registry.acknowledged(), -1);
  edge.link.start();
  const ids = () => edge.config.accelerators.map(({ id, name }) => id + name).join();
  await until(() => ids() === "a,b");
  source.put("a", "2");
  await until(() => ids() === "a2,b");
  source.remove("b");
  source.put("c");
  await until(() => ids() === "a2,c");
  await untilAsync(async () => (await registry.acknowledged()) === 5);
  assert.deepEqual(
    (await registry.list()).map(({ revision, refused, name }) => [revision, refused, name]),
    [[5, "", "test"]],
  );
});

test("an edge that was away is brought up to date, by whatever control process", async (t) => {
  const installation = await EdgeInstallation.start(t);
  const { source } = installation;
  source.put("a");
  source.put("b");
  const second = await installation.serve();
  const edge = await installation.join();
  edge.link.start();
  await until(() => edge.config.revision === 2);
  const home = installation.servers.find(({ server }) => server.connected.length === 1)!;
  await installation.stop(home);
  source.put("c");
  source.remove("a");
  await until(() => edge.config.revision === 4);
  assert.deepEqual(
    edge.config.accelerators.map(({ id }) => id),
    ["b", "c"],
  );
  assert.equal((home === second ? installation.servers[0]! : second).server.connected.length, 1);
});

test("what an edge cannot serve it refuses by name, and serves on; the next good one is taken", async (t) => {
  const installation = await EdgeInstallation.start(t);
  const { source, registry } = installation;
  source.put("a");
  const edge = await installation.join();
  edge.link.start();
  await until(() => edge.config.revision === 1);
  source.putWrong("b");
  await untilAsync(async () => (await registry.list())[0]!.refused.startsWith("revision 2: b: listeners"));
  assert.deepEqual([edge.config.revision, await registry.acknowledged()], [1, 1]);
  source.remove("b");
  source.put("c");
  await until(() => edge.config.accelerators.length === 2);
});

test("an edge that is removed is let go, and health is what one edge at least sees", async (t) => {
  const installation = await EdgeInstallation.start(t);
  const { registry } = installation;
  const edges = [await installation.join(), await installation.join()];
  edges[0]!.report = {
    ...edges[0]!.report,
    health: [
      { group: "g", endpoint: "x", state: "UNHEALTHY" },
      { group: "g", endpoint: "y", state: "UNHEALTHY" },
    ],
  };
  edges[1]!.report = {
    ...edges[1]!.report,
    health: [
      { group: "g", endpoint: "x", state: "HEALTHY" },
      { group: "h", endpoint: "x", state: "HEALTHY" },
    ],
    flows: 7,
  };
  for (const { link } of edges) link.start();
  await untilAsync(async () => {
    const states = await registry.health(["g"]);
    return states.size === 2 && states.get(healthKey("g", "x")) === "HEALTHY" && states.get(healthKey("g", "y")) === "UNHEALTHY";
  });
  assert.equal((await registry.list()).find(({ id }) => id === edges[1]!.id)?.report?.flows, 7);
  await registry.remove(edges[0]!.id);
  await until(() => !edges[0]!.link.linked);
  assert.equal(edges[1]!.link.linked, true);
});

test("a certificate is renewed over the stream, for the same edge and a new key", async (t) => {
  const installation = await EdgeInstallation.start(t);
  const edge = await installation.join();
  edge.link.start();
  await until(() => edge.link.linked);
  const { key, request } = await certificateRequest("anything");
  edge.link.renew(request);
  await until(() => edge.certificates.length === 1);
  const again = new TestEdge(edge.id, { ...edge.identity, certificate: edge.certificates[0]!, key }, installation.addresses);
  again.link.start();
  await until(() => again.link.linked);
  again.link.close();
});

async function untilAsync(condition: () => Promise<boolean>): Promise<void> {
  for (let tries = 0; !(await condition()); tries++) {
    assert.ok(tries < 500, `did not come true: ${condition}`);
    await new Promise((settle) => setTimeout(settle, 10));
  }
}
