/** Options of the tunnel that show on the wire or in virtual time, at both ends: each test fails when the option is ignored. */
import assert from "node:assert/strict";
import { test } from "node:test";
import type { TcpHandler, TcpSocket } from "../src/host/loop.ts";
import { CMD_NOP, CMD_PSH, CMD_UPD } from "../src/smux/frame.ts";
import { LogLines, Traffic, TunnelWorld } from "./tunnel-world.ts";
import { Wire } from "./wire.ts";

type Options = Readonly<Record<string, unknown>>;
type Role = "client" | "server";

interface Run {
  readonly of: TunnelWorld;
  readonly near: Traffic[];
  readonly far: Traffic[];
  /** The application's and the target's sockets. */
  readonly sockets: Readonly<Record<Role, (() => TcpSocket)[]>>;
  /** What each end sends. */
  readonly sent: Readonly<Record<Role, Wire>>;
  readonly log: LogLines;
}

const plain: Options = { crypt: "null", nocomp: "true", extensions: "false", datashard: 0 };
const bytes = 120_000;

/** Both ends with the same plain options, `options` at the one that is named; bulk both ways unless told otherwise. */
function start(role: Role, options: Options, both: Options = {}, link = "delay=20", up = bytes, down = bytes, connections = 1): Run {
  const log = new LogLines();
  const far: Traffic[] = [];
  const sockets: Run["sockets"] = { client: [], server: [] };
  const own = (of: Role): Record<string, unknown> => ({ ...plain, ...both, ...(of === role ? options : {}) });
  const of = new TunnelWorld({ link, seed: 5, log, client: own("client"), server: own("server") }, (socket: TcpSocket) => {
    const traffic = new Traffic(() => socket, { sendSeed: 2, expectSeed: 1, sendBytes: down });
    far.push(traffic);
    sockets.server.push(() => socket);
    traffic.connected(0);
    return traffic;
  });
  const sent = { client: new Wire(of.network, "10.0.0.1"), server: new Wire(of.network, "10.0.0.2") };
  const near = Array.from({ length: connections }, () => {
    let traffic: Traffic | undefined;
    of.connect((socket) => {
      traffic = new Traffic(socket, { sendSeed: 1, expectSeed: 2, sendBytes: up });
      sockets.client.push(socket);
      return traffic;
    });
    return traffic!;
  });
  return { of, near, far, sockets, sent, log };
}

function finish(run: Run, up = bytes, down = bytes): Run {
  const done = run.of.run(
    60,
    () => run.near.every(({ received }) => received === down) && run.far.length > 0 && run.far.every(({ received }) => received === up),
  );
  assert.ok(done, `${run.near[0]?.received} and ${run.far[0]?.received} bytes`);
  return run;
}

for (const role of ["client", "server"] as const) {
  const other: Role = role === "client" ? "server" : "client";
  const whole = (options: Options, both: Options = {}): Run => finish(start(role, options, both));

  test(`mtu at the ${role}: its datagrams are so long and no longer`, () => {
    assert.deepEqual(
      [250, 600, 1200].map((mtu) => whole({ mtu }).sent[role].largest),
      // Whole blocks of 16, but for tiny ones.
      [250, 592, 1200],
    );
    assert.equal(whole({ mtu: 600 }).sent[other].largest, 1344);
  });

  test(`datashard and parityshard at the ${role}: so many parity packets follow so many data packets`, () => {
    const shares = (datashard: number, parityshard: number): number[] => {
      const sent = whole({ datashard, parityshard }).sent[role];
      return [sent.count("kcp"), Math.floor(sent.count("data") / datashard) * parityshard - sent.count("parity")];
    };
    assert.deepEqual(shares(4, 1), [0, 0]);
    assert.deepEqual(shares(7, 5), [0, 0]);
    const { sent } = whole({ datashard: 4, parityshard: 0 });
    assert.deepEqual([sent[role].count("data"), sent[role].count("parity")], [0, 0]);
    assert.equal(whole({ datashard: 4, parityshard: 2 }).sent[other].count("parity"), 0);
  });

  test(`mode at the ${role}, and the four numbers of mode manual: kcptun's table, and each number counts`, () => {
    // Bursts of six segments from here, now and then one from there, over a very bad link.
    const trace = (options: Options): string => {
      const run = start(role, options, { smuxver: 1 }, "delay=20", 9000, 9000);
      run.of.run(1);
      for (const link of [run.of.links.ab, run.of.links.ba]) link.set("loss=40%");
      for (let i = 0; i < 40; i++) {
        if (i % 4 === 0) run.sockets[role][0]!().write(new Uint8Array(8000), 0, 8000);
        run.sockets[other][0]!().write(new Uint8Array(400), 0, 400);
        run.of.run(0.037);
      }
      run.of.run(4);
      return run.sent[role].trace;
    };
    const table = {
      normal: { nodelay: 0, interval: 40, resend: 2, nc: 1 },
      fast: { nodelay: 0, interval: 30, resend: 2, nc: 1 },
      fast2: { nodelay: 1, interval: 20, resend: 2, nc: 1 },
      fast3: { nodelay: 1, interval: 10, resend: 2, nc: 1 },
    };
    const traces = Object.entries(table).map(([mode, numbers]) => {
      const named = trace({ mode });
      assert.ok(named === trace({ mode: "manual", ...numbers }), `${mode} is not ${JSON.stringify(numbers)}`);
      return named;
    });
    assert.equal(new Set(traces).size, 4);
    const changed = [{ nodelay: 0 }, { interval: 35 }, { resend: 0 }, { nc: 0 }].map((one) =>
      trace({ mode: "manual", ...table.fast3, ...one }),
    );
    assert.deepEqual(
      changed.map((one) => [...changed, traces[3]].indexOf(one)),
      [0, 1, 2, 3],
    );
    assert.ok(!changed.includes(traces[3]!));
  });

  test(`acknodelay at the ${role}: what comes is acknowledged in the same instant`, () => {
    // Version 1, in which nothing but acknowledgements goes back.
    const delay = (acknodelay: string): number => {
      const run = start(role, { acknodelay }, { smuxver: 1 }, "delay=20", 100, 100);
      run.of.run(1.007);
      const before = run.sent[other].datagrams.length;
      run.sockets[other][0]!().write(new Uint8Array(50), 0, 50);
      run.of.run(1);
      const asked = run.sent[other].datagrams.slice(before).find(({ pushed }) => pushed.length > 0)!;
      return run.sent[role].datagrams.find(({ acked }) => acked.includes(asked.pushed[0]!))!.at - asked.at - 20;
    };
    assert.ok(delay("true") < 0.001, `${delay("true")} ms`);
    assert.ok(delay("false") > 1, `${delay("false")} ms`);
  });

  test(`framesize at the ${role}: no smux frame has more, and bulk has as much`, () => {
    const largest = (framesize: number): number =>
      Math.max(
        ...whole({ framesize })
          .sent[role].frames.filter(({ command }) => command === CMD_PSH)
          .map(({ payload }) => payload.length),
      );
    assert.deepEqual([largest(2000), largest(30_000)], [2000, 30_000]);
  });

  test(`streambuf at the ${role}: the window it tells`, () => {
    const windows = (streambuf: number): number[] =>
      whole({ streambuf })
        .sent[role].frames.filter(({ command }) => command === CMD_UPD)
        .map(({ payload }) => new DataView(payload.buffer, payload.byteOffset).getUint32(4, true));
    assert.deepEqual([windows(100_000)[0], windows(70_000)[0]], [100_000, 70_000]);
  });

  test(`smuxbuf at the ${role}: streams that nobody reads hold so much and no more`, () => {
    const held = (smuxbuf: number): number => {
      // The traffic behind the named end is never read: its windows are all that takes bytes.
      const deaf: TcpHandler = { connected() {}, readable() {}, writable() {}, closed() {} };
      const own = { ...plain, smuxver: 1, sndwnd: 32, rcvwnd: 32, spill: 0, stallwait: 0 };
      const ends = { client: { ...own }, server: { ...own } };
      Object.assign(ends[role], { smuxbuf });
      const talker = (socket: () => TcpSocket): Traffic => new Traffic(socket, { sendSeed: 1, expectSeed: 2, sendBytes: 5_000_000 });
      const talkers: Traffic[] = [];
      const of = new TunnelWorld({ link: "delay=5", seed: 2, ...ends }, (socket) => {
        if (role === "server") return deaf;
        const traffic = talker(() => socket);
        talkers.push(traffic);
        traffic.connected(0);
        return traffic;
      });
      for (let i = 0; i < 3; i++) {
        of.connect((socket) => {
          if (role === "client") return deaf;
          talkers.push(talker(socket));
          return talkers.at(-1)!;
        });
      }
      of.run(20);
      const counters = role === "server" ? of.server.counters() : of.client.counters();
      return counters.BytesReceived!;
    };
    const [less, more] = [held(200_000), held(900_000)];
    // The last packet read may go beyond it; pipes of 64 KiB at each of three sockets are drained by nobody but filled once.
    const pipes = 3 * 65_536 + 140_000;
    assert.ok(less >= 200_000 && less <= 200_000 + pipes, `${less} bytes at 200,000`);
    assert.ok(more >= 900_000 && more <= 900_000 + pipes, `${more} bytes at 900,000`);
  });

  test(`sndwnd at the ${role}: packets in flight before the first is acknowledged`, () => {
    const first = (sndwnd: number): number => {
      const { datagrams } = whole({ sndwnd }, { rcvwnd: 500 }).sent[role];
      const bulkFrom = datagrams.findIndex(({ bytes: size }) => size === 1344);
      const from = datagrams[bulkFrom]!.at;
      return new Set(datagrams.filter(({ at }) => at < from + 40).flatMap(({ pushed }) => pushed)).size;
    };
    assert.ok(first(6) <= 6 && first(20) > 6 && first(20) <= 20, `${first(6)} and ${first(20)} packets`);
  });

  test(`rcvwnd at the ${role}: the window its packets tell`, () => {
    const window = (rcvwnd: number): number => Math.max(...whole({ rcvwnd }).sent[role].datagrams.map((datagram) => datagram.window));
    assert.deepEqual([window(77), window(300)], [77, 300]);
  });

  test(`ratelimit at the ${role}: a burst of 96,000 bytes, then the rate`, () => {
    const { of, sent } = whole({ ratelimit: 20_000 });
    const seconds = of.network.now / 1000;
    assert.ok(sent[role].bytes <= 96_000 + 20_000 * seconds, `${sent[role].bytes} bytes in ${seconds} s`);
    assert.ok(seconds > 1.1, `${seconds} s`);
  });

  test(`keepalive at the ${role}: NOP so often`, () => {
    const nops = (keepalive: number): number => {
      const run = start(role, { keepalive }, { keepalive: 30 }, "delay=5", 100, 100);
      run.of.run(25);
      return run.sent[role].frames.filter(({ command }) => command === CMD_NOP).length;
    };
    assert.deepEqual([nops(3), nops(10), nops(30)], [8, 2, 0]);
  });

  test(`quiet at the ${role}: no line per connection`, () => {
    const lines = (quiet: string): number => {
      const run = finish(start(role, { quiet }, { quiet: "true" }, "delay=5", 100, 100), 100, 100);
      run.of.client.stop(run.of.network.now);
      run.of.run(2);
      return run.log.count("connection ");
    };
    assert.equal(lines("true"), 0);
    assert.ok(lines("false") >= 1);
  });

  test(`streams at the ${role}: a connection beyond it is refused, the others go on`, () => {
    const run = start(role, { streams: 2 }, {}, "delay=5", 1000, 1000, 4);
    run.of.run(5);
    assert.equal(run.near.filter(({ received }) => received === 1000).length, 2);
    assert.equal(run.near.filter(({ ended, broken }) => ended || broken !== undefined).length, 2);
  });
}

test("smuxver and nocomp: the first byte of the client's stream; the server takes over what it finds, whatever its own options say", () => {
  const firstByte = (client: Options): number => {
    const run = start("client", client, { nocomp: "false", smuxver: 2 });
    return finish(run).sent.client.stream[0]!;
  };
  assert.deepEqual(
    [{ smuxver: 1, nocomp: "true" }, { smuxver: 2, nocomp: "true" }, { smuxver: 1 }, { smuxver: 2 }].map(firstByte),
    [1, 2, 0xff, 0xff],
  );
  for (const server of [{ smuxver: 1, nocomp: "true" }, { smuxver: 2 }]) finish(start("server", server, { nocomp: "false", smuxver: 2 }));
});

test("compat: a receiver of 2021 acknowledges with its timer, one of 2026 as soon as a packet of ACKs is full", () => {
  const up = (["2021", "2026"] as const).map((compat) => {
    const run = start("server", { compat }, { mode: "normal", smuxver: 1, sndwnd: 400, rcvwnd: 400 }, "delay=1", 2_000_000, 0);
    return finish(run, 2_000_000, 0).of.network.now;
  });
  assert.ok(up[0]! > 2 * up[1]!, `${up} ms`);
  const down = (["2021", "2026"] as const).map((compat) => {
    const run = start("client", { compat }, { mode: "normal", smuxver: 1, sndwnd: 400, rcvwnd: 400 }, "delay=1", 0, 2_000_000);
    return finish(run, 0, 2_000_000).of.network.now;
  });
  assert.ok(down[0]! > 2 * down[1]!, `${down} ms`);
});

test("sessions: a client beyond it is not served until another has gone", () => {
  const log = new LogLines();
  const of = new TunnelWorld(
    { link: "delay=5", seed: 1, log, client: { ...plain, conn: 3 }, server: { ...plain, sessions: 2 } },
    (socket) => {
      const traffic = new Traffic(() => socket, { sendSeed: 2, expectSeed: 1, sendBytes: 1000 });
      traffic.connected(0);
      return traffic;
    },
  );
  const near = Array.from({ length: 3 }, () => {
    let traffic: Traffic | undefined;
    of.connect((socket) => {
      traffic = new Traffic(socket, { sendSeed: 1, expectSeed: 2, sendBytes: 1000 });
      return traffic;
    });
    return traffic!;
  });
  of.run(5);
  assert.deepEqual([near.filter(({ received }) => received === 1000).length, of.server.report(0).length], [2, 2]);
  assert.ok(of.server.refused > 0 && log.count("as many as option sessions allows") > 0);
});
