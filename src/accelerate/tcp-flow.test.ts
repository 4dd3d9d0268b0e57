import assert from "node:assert/strict";
import { createHash, randomBytes } from "node:crypto";
import { onEpoll, until } from "../host/testing/each-loop.ts";
import { freePort, listenerOf, PlaneWorld } from "./testing/plane-world.ts";

const MEGABYTES = 24;

onEpoll("a connection reaches an endpoint, half close and all, and is counted", async (loop) => {
  const world = new PlaneWorld(loop);
  const { port: there } = await world.echo("a");
  const port = await freePort();
  assert.deepEqual(world.serve([listenerOf("TCP", port, { a: there })]), []);
  const client = world.client(port);
  client.socket.end("hello");
  await until(() => client.ended);
  assert.equal(client.text, "a\nhello");
  await until(() => world.listener.stats.ended.closed === 1);
  const { flows, stats } = world.listener;
  assert.deepEqual([flows, stats.newFlows, stats.bytesIn, stats.bytesOut], [0, 1, 5, 7]);
  assert.equal(world.plane.slots.out, 0);
  world.close();
});

onEpoll("what one side does not take waits, and arrives whole", async (loop) => {
  const world = new PlaneWorld(loop, { buffersMax: 64 });
  const { port: there } = await world.echo("");
  const port = await freePort();
  world.serve([listenerOf("TCP", port, { a: there })]);
  const client = world.client(port);
  client.socket.removeAllListeners("data").pause();
  const sent = randomBytes(MEGABYTES << 20);
  client.socket.write(sent);
  client.socket.end();
  // Nobody reads what comes back for a while: everything on the way fills up.
  await until(() => world.plane.slots.out > 0);
  const sum = createHash("sha1");
  let bytes = -1;
  client.socket.resume().on("data", (piece: Buffer) => {
    // The echo's name comes first: a lone line feed.
    sum.update(bytes < 0 ? piece.subarray(1) : piece);
    bytes += piece.length;
  });
  await until(() => client.ended, 20_000);
  assert.equal(bytes, sent.length);
  assert.equal(sum.digest("hex"), createHash("sha1").update(sent).digest("hex"));
  assert.equal(world.plane.slots.out, 0);
  world.close();
});

onEpoll("a refused connection goes to another endpoint, and the refusal is told", async (loop) => {
  const world = new PlaneWorld(loop);
  const { port: there } = await world.echo("alive");
  const [port, nobody] = [await freePort(), await freePort()];
  world.serve([listenerOf("TCP", port, { gone: { port: nobody, weight: 255 }, alive: { port: there, weight: 1 } })]);
  const clients = Array.from({ length: 8 }, () => world.client(port));
  await until(() => clients.every(({ text }) => text === "alive\n"));
  assert.ok(world.suspected.length >= 6, String(world.suspected.length));
  assert.ok(world.suspected.every((key) => key.startsWith("127.0.0.1 TCP 1 ")));
  world.close();
});

onEpoll("nobody takes it: the client is reset", async (loop) => {
  const world = new PlaneWorld(loop);
  const [port, nobody] = [await freePort(), await freePort()];
  world.serve([listenerOf("TCP", port, { gone: nobody })]);
  const client = world.client(port);
  await until(() => client.code === "ECONNRESET");
  assert.deepEqual([world.listener.stats.noEndpoint, world.listener.stats.ended.refused, world.listener.flows], [1, 1, 0]);
  world.close();
});

onEpoll("connections of an endpoint that died are reset when another one lives, those of others go on", async (loop) => {
  const world = new PlaneWorld(loop);
  const [a, b] = [await world.echo("a"), await world.echo("b")];
  const port = await freePort();
  world.serve([listenerOf("TCP", port, { a: a.port, b: b.port })]);
  const clients = Array.from({ length: 16 }, () => world.client(port));
  await until(() => clients.every(({ text }) => text !== ""));
  const [ofA, ofB] = ["a\n", "b\n"].map((name) => clients.filter(({ text }) => text === name));
  assert.ok(ofA!.length > 0 && ofB!.length > 0);
  world.stand(["a"]);
  await until(() => ofA!.every(({ code }) => code === "ECONNRESET"));
  for (const { socket } of ofB!) socket.write("still");
  await until(() => ofB!.every(({ text }) => text === "b\nstill"));
  assert.equal(world.listener.stats.ended.dead, ofA!.length);
  world.stand(["a", "b"]);
  const last = world.client(port);
  await until(() => last.text !== "");
  assert.equal(world.listener.stats.failOpens, 1, "nobody healthy: any endpoint, and no reset");
  assert.ok(world.whys.includes("fail-open"), String(world.whys));
  assert.ok(ofB!.every(({ code }) => code === ""));
  world.close();
});

onEpoll("with resetDead off connections of a dead endpoint stay", async (loop) => {
  const world = new PlaneWorld(loop);
  const [a, b] = [await world.echo("a"), await world.echo("b")];
  const port = await freePort();
  world.serve([listenerOf("TCP", port, { a: a.port, b: b.port })], { resetDead: false });
  const client = world.client(port);
  await until(() => client.text !== "");
  world.stand([client.text.trim()]);
  client.socket.write("x");
  await until(() => client.text.endsWith("x"));
  world.close();
});

onEpoll("a reset goes through, both ways", async (loop) => {
  const world = new PlaneWorld(loop);
  const { port: there, sockets } = await world.echo("a");
  const port = await freePort();
  world.serve([listenerOf("TCP", port, { a: there })]);
  const [one, two] = [world.client(port), world.client(port)];
  await until(() => one.text !== "" && two.text !== "");
  one.socket.resetAndDestroy();
  await until(() => [...sockets].some(({ destroyed }) => destroyed));
  await until(() => world.listener.flows === 1);
  for (const socket of sockets) if (!socket.destroyed) socket.resetAndDestroy();
  await until(() => two.code === "ECONNRESET");
  assert.equal(world.listener.flows, 0);
  world.close();
});

onEpoll("the PROXY protocol's header comes before anything else", async (loop) => {
  const world = new PlaneWorld(loop);
  const { port: there } = await world.echo("");
  const port = await freePort();
  world.serve([listenerOf("TCP", port, { a: { port: there, client: "proxy" } })]);
  const client = world.client(port);
  client.socket.end("data");
  await until(() => client.ended);
  const bytes = Buffer.from(client.text, "latin1").subarray(1);
  assert.equal(bytes.subarray(0, 16).toString("hex"), "0d0a0d0a000d0a515549540a2111000c");
  assert.deepEqual(
    [bytes.subarray(16, 24).toString("hex"), bytes.readUInt16BE(24), bytes.readUInt16BE(26)],
    ["7f0000017f000001", client.socket.localPort ?? bytes.readUInt16BE(24), port],
  );
  assert.equal(bytes.subarray(28).toString(), "data");
  world.close();
});

onEpoll("a change leaves connections alone; what is removed drains, and is ended after the deadline", async (loop) => {
  const world = new PlaneWorld(loop);
  const [a, b] = [await world.echo("a"), await world.echo("b")];
  const port = await freePort();
  world.serve([listenerOf("TCP", port, { a: a.port })]);
  const old = world.client(port);
  await until(() => old.text !== "");
  world.serve([listenerOf("TCP", port, { b: { port: b.port, checkPort: 2 } })], { drainSeconds: 1 });
  const fresh = world.client(port);
  await until(() => fresh.text === "b\n");
  old.socket.write("x");
  await until(() => old.text === "a\nx");
  await until(() => old.code === "ECONNRESET");
  assert.deepEqual([world.listener.stats.ended.drained, fresh.code], [1, ""]);
  world.close();
});

onEpoll("limits: flows beyond them are refused and counted", async (loop) => {
  const world = new PlaneWorld(loop);
  const { port: there } = await world.echo("a");
  const port = await freePort();
  world.serve([listenerOf("TCP", port, { a: there })], { sourceFlowsMax: 2 });
  const clients = Array.from({ length: 5 }, () => world.client(port));
  await until(() => clients.filter(({ text }) => text === "a\n").length === 2 && clients.filter(({ code }) => code !== "").length === 3);
  assert.deepEqual([world.listener.refused.sourceFlows, world.listener.flows], [3, 2]);
  world.close();
});

onEpoll("a connection on which nothing moves ends after the idle time", async (loop) => {
  const world = new PlaneWorld(loop);
  const { port: there } = await world.echo("a");
  const port = await freePort();
  world.serve([listenerOf("TCP", port, { a: there })], { tcpIdleSeconds: 1 });
  const client = world.client(port);
  await until(() => client.code === "ECONNRESET");
  assert.equal(world.listener.stats.ended.idle, 1);
  world.close();
});

onEpoll("routes: listener ports to one address's ports, one for one; others have nobody", async (loop) => {
  const world = new PlaneWorld(loop);
  const { port: there } = await world.echo("a");
  const [one, two] = [await freePort(), await freePort()];
  const ports = [one, two].map((port) => ({ from: port, to: port }));
  const route = { first: one, count: 1, address: "127.0.0.1", port: there, protocols: ["TCP"] as ("TCP" | "UDP")[] };
  world.serve([{ id: "l", protocol: "TCP", ports, routes: [route] }]);
  const [routed, other] = [world.client(one), world.client(two)];
  await until(() => routed.text === "a\n" && other.code === "ECONNRESET");
  assert.equal(world.listener.stats.noEndpoint, 1);
  world.close();
});

onEpoll("a place that is taken is told, and opened once it is free", async (loop) => {
  const world = new PlaneWorld(loop);
  const { port: there, server } = await world.echo("a");
  const problems = world.serve([listenerOf("TCP", there, { a: there })]);
  assert.deepEqual(problems, [{ place: `TCP 127.0.0.1 ${there}`, reason: "EADDRINUSE" }]);
  server.close();
  world.serve([listenerOf("TCP", there, { a: there })]);
  assert.deepEqual(world.plane.problems, []);
  world.close();
});
