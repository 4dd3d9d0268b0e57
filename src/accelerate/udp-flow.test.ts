import assert from "node:assert/strict";
import { onEpoll, until } from "../host/testing/each-loop.ts";
import { freePort, listenerOf, PlaneWorld } from "./testing/plane-world.ts";

onEpoll("datagrams go to an endpoint and back, a flow for each source", async (loop) => {
  const world = new PlaneWorld(loop);
  const there = await world.datagrams("a");
  const port = await freePort();
  world.serve([listenerOf("UDP", port, { a: there.port })]);
  const callers = await Promise.all([world.caller(), world.caller()]);
  callers.forEach(({ socket }, i) => {
    for (let n = 0; n < 3; n++) socket.send(`${i}.${n}`, port, "127.0.0.1");
  });
  await until(() => callers.every(({ heard }) => heard.length === 3));
  assert.deepEqual(
    callers.map(({ heard }) => heard),
    [0, 1].map((i) => [0, 1, 2].map((n) => `a ${i}.${n}`)),
  );
  const { flows, stats } = world.listener;
  assert.deepEqual([flows, stats.newFlows, stats.packetsIn, stats.packetsOut, stats.bytesIn, stats.bytesOut], [2, 2, 6, 6, 18, 30]);
  world.close();
});

onEpoll("a running flow goes on at another endpoint when its own dies, and comes not back", async (loop) => {
  const world = new PlaneWorld(loop);
  const [a, b] = [await world.datagrams("a"), await world.datagrams("b")];
  const port = await freePort();
  world.serve([listenerOf("UDP", port, { a: a.port, b: b.port })]);
  const { socket, heard } = await world.caller();
  socket.send("1", port, "127.0.0.1");
  await until(() => heard.length === 1);
  const [first] = heard[0]!;
  const other = first === "a" ? "b" : "a";
  assert.deepEqual(world.whys, ["dial"]);
  world.stand([first!]);
  socket.send("2", port, "127.0.0.1");
  await until(() => heard.length === 2);
  world.stand([]);
  socket.send("3", port, "127.0.0.1");
  await until(() => heard.length === 3);
  assert.deepEqual(heard.slice(1), [`${other} 2`, `${other} 3`]);
  assert.deepEqual([world.listener.stats.repinned, world.listener.stats.newFlows, world.listener.flows], [1, 1, 1]);
  world.close();
});

for (const drained of [false, true])
  onEpoll(
    `a removed listener's flows go on, ${drained ? "until their time to drain is over" : "and it is open again when it is wanted again"}`,
    async (loop) => {
      const world = new PlaneWorld(loop);
      const there = await world.datagrams("a");
      const [port, another] = [await freePort(), await freePort()];
      const policy = { drainSeconds: drained ? 1 : 0 };
      const two = [listenerOf("UDP", another, { a: there.port }, { id: "other" }), listenerOf("UDP", port, { a: there.port })];
      world.serve(two, policy);
      const [old, late] = [await world.caller(), await world.caller()];
      const say = ({ socket }: typeof old, text: string): void => void socket.send(text, port, "127.0.0.1");
      say(old, "1");
      await until(() => old.heard.length === 1);
      world.serve(two.slice(0, 1), policy);
      say(late, "nobody lets it in");
      say(old, "2");
      await until(() => old.heard.length === 2);
      assert.deepEqual([late.heard, there.seen.length, world.plane.flows], [[], 2, 1]);
      if (drained) await until(() => world.plane.flows === 0);
      world.serve(two, policy);
      say(late, "3");
      say(old, "4");
      await until(() => late.heard.length === 1 && old.heard.length === 3);
      assert.equal(world.plane.flows, 2);
      world.close();
    },
  );

onEpoll("with repin off a flow stays where it is", async (loop) => {
  const world = new PlaneWorld(loop);
  const [a, b] = [await world.datagrams("a"), await world.datagrams("b")];
  const port = await freePort();
  world.serve([listenerOf("UDP", port, { a: a.port, b: b.port })], { repin: false });
  const { socket, heard } = await world.caller();
  socket.send("1", port, "127.0.0.1");
  await until(() => heard.length === 1);
  world.stand([heard[0]![0]!]);
  socket.send("2", port, "127.0.0.1");
  await until(() => heard.length === 2);
  assert.equal(heard[1]![0], heard[0]![0]);
  world.close();
});

onEpoll("a refusal (ICMP) moves the flow at once and is told, before any check", async (loop) => {
  const world = new PlaneWorld(loop);
  const [a, b] = [await world.datagrams("a"), await world.datagrams("b")];
  const port = await freePort();
  world.serve([listenerOf("UDP", port, { a: a.port, b: b.port })]);
  const { socket, heard } = await world.caller();
  socket.send("1", port, "127.0.0.1");
  await until(() => heard.length === 1);
  const [first] = heard[0]!;
  (first === "a" ? a : b).close();
  // The one that is refused is lost, as on any wire.
  socket.send("2", port, "127.0.0.1");
  await until(() => world.listener.stats.repinned === 1);
  socket.send("3", port, "127.0.0.1");
  await until(() => heard.length === 2);
  assert.equal(heard[1], `${first === "a" ? "b" : "a"} 3`);
  assert.ok(world.suspected[0]!.startsWith(`127.0.0.1 TCP ${first === "a" ? 1 : 2} `));
  world.close();
});

onEpoll("silence where answers used to come is told", async (loop) => {
  const world = new PlaneWorld(loop);
  const there = await world.datagrams("a");
  const port = await freePort();
  world.serve([listenerOf("UDP", port, { a: there.port })]);
  const { socket, heard } = await world.caller();
  socket.send("1", port, "127.0.0.1");
  await until(() => heard.length === 1);
  assert.equal(world.suspected.length, 0);
  there.mute();
  const sending = setInterval(() => socket.send("2", port, "127.0.0.1"), 20);
  await until(() => world.suspected.length > 0);
  clearInterval(sending);
  world.close();
});

onEpoll("the PROXY protocol's header is in front of every datagram", async (loop) => {
  const world = new PlaneWorld(loop);
  const there = await world.datagrams("a");
  const port = await freePort();
  world.serve([listenerOf("UDP", port, { a: { port: there.port, client: "proxy" } })]);
  const { socket, heard } = await world.caller();
  socket.send("1", port, "127.0.0.1");
  socket.send("22", port, "127.0.0.1");
  await until(() => heard.length === 2);
  assert.deepEqual(
    there.seen.map((bytes) => [bytes.subarray(12, 16).toString("hex"), bytes.readUInt16BE(24), bytes.subarray(28).toString()]),
    ["1", "22"].map((text) => ["2112000c", socket.address().port, text]),
  );
  world.close();
});

onEpoll("a flow on which nothing moves ends after the idle time; limits hold", async (loop) => {
  const world = new PlaneWorld(loop);
  const there = await world.datagrams("a");
  const port = await freePort();
  world.serve([listenerOf("UDP", port, { a: there.port })], { udpIdleSeconds: 1, sourceFlowsMax: 2 });
  const callers = await Promise.all(Array.from({ length: 4 }, () => world.caller()));
  for (const { socket } of callers) socket.send("x", port, "127.0.0.1");
  await until(() => callers.filter(({ heard }) => heard.length === 1).length === 2 && world.listener.refused.sourceFlows === 2);
  await until(() => world.listener.stats.ended.idle === 2);
  assert.equal(world.listener.flows, 0);
  world.close();
});
