/** Asked by a resolver that is not ours: Node's, which is c-ares. */
import assert from "node:assert/strict";
import { createSocket } from "node:dgram";
import { Resolver } from "node:dns/promises";
import { once } from "node:events";
import { connect } from "node:net";
import { type TestContext, test } from "node:test";
import { type DecodedPacket, decode, encode, type OptAnswer, type Packet } from "dns-packet";
import { Prng } from "../base/prng.ts";
import { answerDns, empty } from "../host/dns-message.ts";
import { DnsServer } from "../host/dns-server.ts";
import { edgeConfig } from "./edge-config.ts";
import { NameServer } from "./name-server.ts";

const HOST = "127.0.0.1";

function names(): NameServer {
  const server = new NameServer({ zone: "Acc.Example.", servers: ["ns1.example.net", "ns2.example.net"], ttl: 300 });
  const accelerators = [
    { id: "a", dnsName: "a1.acc.example", addresses: ["198.51.100.1", "203.0.113.1", "2001:db8::1"] },
    { id: "b", dnsName: "b2.dualstack.acc.example", addresses: ["198.51.100.2"] },
    { id: "c", dnsName: "c3.elsewhere.example", addresses: ["198.51.100.3"] },
  ];
  server.take(edgeConfig.parse({ revision: 7, accelerators }));
  return server;
}

async function serve(t: TestContext, perSecond = 1000, connectionsMax = 2): Promise<DnsServer> {
  const zone = names();
  const answerer = zone.answer.bind(zone);
  const server = await DnsServer.listen({ host: HOST, port: 0, answerer, perSecond, connectionsMax, idle: 200 });
  t.after(() => server.close());
  return server;
}

async function ask(port: number, packet: Packet): Promise<DecodedPacket> {
  const socket = createSocket("udp4");
  socket.send(encode({ type: "query", id: 77, ...packet }), port, HOST);
  const [bytes] = (await once(socket, "message")) as [Buffer];
  socket.close();
  return decode(bytes);
}

test("a resolver finds addresses of both families, whatever the case, and is told what is not there", async (t) => {
  const server = await serve(t);
  const resolver = new Resolver({ tries: 1, timeout: 5000 });
  resolver.setServers([`${HOST}:${server.port}`]);
  assert.deepEqual(
    (await resolver.resolve4("A1.acc.EXAMPLE", { ttl: true })).map(({ address, ttl }) => `${address} ${ttl}`),
    ["198.51.100.1 300", "203.0.113.1 300"],
  );
  assert.deepEqual(await resolver.resolve6("a1.acc.example"), ["2001:db8::1"]);
  assert.deepEqual(await resolver.resolve4("b2.dualstack.acc.example"), ["198.51.100.2"]);
  assert.deepEqual((await resolver.resolveNs("acc.example")).sort(), ["ns1.example.net", "ns2.example.net"]);
  const { nsname, serial, minttl } = await resolver.resolveSoa("acc.example");
  assert.deepEqual([nsname, serial, minttl], ["ns1.example.net", 7, 60]);
  const code = (asked: Promise<unknown>): Promise<string> => asked.then(String, (error: NodeJS.ErrnoException) => error.code ?? "");
  assert.equal(await code(resolver.resolve6("b2.dualstack.acc.example")), "ENODATA");
  assert.equal(await code(resolver.resolveTxt("a1.acc.example")), "ENODATA");
  assert.equal(await code(resolver.resolve4("dualstack.acc.example")), "ENODATA");
  assert.equal(await code(resolver.resolve4("nobody.acc.example")), "ENOTFOUND");
  assert.equal(await code(resolver.resolve4("c3.elsewhere.example")), "EREFUSED");
});

test("what is not there is said with the SOA, what is not the zone's without authority, and a newer EDNS is refused by its own code", async (t) => {
  const { port } = await serve(t);
  const missing = await ask(port, { questions: [{ type: "A", name: "nobody.acc.example" }] });
  assert.deepEqual([missing.flag_aa, missing.authorities?.[0]?.type, missing.authorities?.[0]?.name], [true, "SOA", "acc.example"]);
  const foreign = await ask(port, { questions: [{ type: "A", name: "example.com" }], flags: 0x100 });
  assert.deepEqual([foreign.flag_aa, foreign.flag_rd, foreign.flag_ra, foreign.id], [false, true, false, 77]);
  const option: OptAnswer = {
    type: "OPT",
    name: ".",
    udpPayloadSize: 4096,
    extendedRcode: 0,
    ednsVersion: 1,
    flags: 0,
    flag_do: false,
    options: [],
  };
  const newer = await ask(port, { questions: [{ type: "A", name: "a1.acc.example" }], additionals: [option] });
  const [told] = newer.additionals ?? [];
  assert.ok(told?.type === "OPT" && told.extendedRcode === 1 && told.udpPayloadSize === 1232);
  assert.equal(newer.answers?.length, 0);
});

test("a network that asks too often is sent to TCP, where connections are limited and may not stay silent", async (t) => {
  const server = await serve(t, 3);
  const question = { questions: [{ type: "A", name: "a1.acc.example" }] } as const;
  const answers = await Promise.all(Array.from({ length: 20 }, () => ask(server.port, { questions: [...question.questions] })));
  const whole = answers.filter(({ flag_tc }) => !flag_tc);
  assert.ok(whole.length >= 3 && whole.length < 20 && whole.every((answer) => answer.answers?.length === 2));
  assert.ok(answers.every(({ flag_tc, answers: given }) => !flag_tc || given?.length === 0));
  assert.equal(server.counters.truncated, 20 - whole.length);

  const query = encode({ type: "query", id: 1, questions: [...question.questions] });
  const framed = Buffer.concat([Buffer.from([0, query.length]), query]);
  const sockets = Array.from({ length: 2 }, () => connect(server.port, HOST));
  for (const socket of sockets) {
    socket.write(Buffer.concat([framed, framed.subarray(0, 9)]));
    socket.write(framed.subarray(9));
    let bytes = Buffer.alloc(0);
    while (bytes.length < 2 || bytes.length < 2 * (2 + bytes.readUInt16BE(0))) {
      const [piece] = (await once(socket, "data")) as [Buffer];
      bytes = Buffer.concat([bytes, piece]);
    }
    assert.equal(decode(bytes.subarray(2, 2 + bytes.readUInt16BE(0))).answers?.length, 2);
  }
  const third = connect(server.port, HOST);
  third.on("error", () => {});
  await once(third, "close");
  assert.equal(server.counters.connectionsRefused, 1);
  await Promise.all(sockets.map((socket) => socket.closed || once(socket.resume(), "close")));
});

test("20,000 damaged questions: none throws, none is answered by more than a few times its length", () => {
  const seed = Number(process.env.SEED ?? 20261121);
  const prng = new Prng(seed);
  const zone = names();
  const whole = encode({ type: "query", id: 5, flags: 0x100, questions: [{ type: "A", name: "a1.acc.example" }] });
  for (let i = 0; i < 20_000; i++) {
    const bytes = Buffer.from(whole.subarray(0, prng.below(4) === 0 ? prng.below(whole.length + 1) : whole.length));
    for (let flips = prng.below(6); flips > 0 && bytes.length > 0; flips--) bytes[prng.below(bytes.length)] = prng.below(256);
    const answer = answerDns({ bytes, datagram: true, truncate: false }, (question, asked) => zone.answer(question, asked));
    assert.ok(answer === undefined || answer.length <= 512, `seed ${seed}, ${bytes.toString("hex")}`);
    if (bytes.length < 12 || bytes[2]! >= 128) assert.equal(answer, undefined);
  }
  const many = Array.from({ length: 60 }, (_, i) => ({ type: "A", name: "a1.acc.example", ttl: 1, data: `192.0.2.${i}` }) as const);
  const long = answerDns({ bytes: whole, datagram: true, truncate: false }, () => ({ ...empty("NOERROR"), answers: many }))!;
  assert.ok(decode(long).flag_tc && long.length <= 512);
  const byTcp = answerDns({ bytes: whole, datagram: false, truncate: false }, () => ({ ...empty("NOERROR"), answers: many }))!;
  assert.equal(decode(byTcp).answers?.length, 60);
});
