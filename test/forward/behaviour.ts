/** How every datapath behaves (src/forward/datapath.ts), shown with real sockets between namespaces. The same checks for all of them. */
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import type { Datapath, ForwardStats } from "../../src/forward/datapath.ts";
import { desiredState, NOTHING_DESIRED } from "../../src/forward/desired-state.ts";
import type { ForwardEntry } from "../../src/forward/entry.ts";
import { type Forward, parseForward, withChoices } from "../../src/forward/forward.ts";
import { plan } from "../../src/forward/plan.ts";
import { captures } from "./captures.ts";
import type { Sent } from "./end.ts";
import { BACKEND, CLIENT, type End, INNER, type Lab, LISTEN } from "./lab.ts";

export interface Subject {
  readonly name: string;
  readonly open: () => Promise<Datapath>;
  /** Applied one after another while traffic flows. */
  readonly reloads: number;
}

interface Sending {
  readonly port?: number;
  readonly to?: string;
  readonly host?: string;
  readonly from?: number;
  readonly sources?: number;
  readonly each?: number;
  readonly gapMs?: number;
  readonly waitMs?: number;
  readonly bytes?: number;
}

/** Time for what shall not come. */
const SILENCE_MS = 250;
const PORTS = [6000, 6001, 5004];
let nextSource = 20_000;
/** Source ports that no flow of an earlier test has. */
const fresh = (count = 1): number => {
  nextSource += count;
  return nextSource - count;
};

export function behaviour(subject: Subject, lab: Lab): void {
  describe(subject.name, () => checks(subject, lab));
}

function checks({ name, open, reloads }: Subject, lab: Lab): void {
  let client: End;
  let datapath: Datapath;
  let state = NOTHING_DESIRED;

  const forwardOf = (entry: Partial<ForwardEntry>, i: number): Forward =>
    parseForward({ name: `f${i}`, listen: `${LISTEN[4]}:5000`, to: [at("a", 6000)], ...entry }, `forwards[${i}]`);
  const apply = (...entries: Partial<ForwardEntry>[]): Promise<void> => applyForwards(entries.map(forwardOf));
  const applyForwards = async (forwards: readonly Forward[]): Promise<void> => {
    const next = desiredState(state.revision + 1, forwards);
    await datapath.apply(plan(state, next));
    state = next;
    assert.equal(await datapath.verify(), undefined);
  };
  // Never from ports that the kernel picks: now and then one of those is the port of an earlier test's flow, which still stands.
  const send = ({ sources = 1, from = fresh(sources), ...sending }: Sending = {}): Promise<Sent> =>
    client.ask({ do: "send", to: LISTEN[4], port: 5000, from, sources, each: 1, gapMs: 0, waitMs: 2000, bytes: 100, ...sending });
  const stats = async (forward = "f0"): Promise<ForwardStats | undefined> => (await datapath.stats()).forwards.get(forward);
  const check = (title: string, run: () => Promise<void>): void => void test(`${name}: ${title}`, run);

  before(async () => {
    client = lab.end("c");
    await lab.echoes(PORTS);
    datapath = await open();
  });
  after(async () => {
    client.close();
    await datapath.close(false);
  });

  for (const family of [4, 6] as const) {
    const [listen, backend] = family === 4 ? [LISTEN[4], BACKEND.a[4]] : [`[${LISTEN[6]}]`, `[${BACKEND.a[6]}]`];
    check(`IPv${family}: there and back, from the address that was asked, counted`, async () => {
      await apply({ listen: `${listen}:5000`, to: [`${backend}:6000`] });
      const earlier = await stats();
      const { answers, count } = await send({ to: LISTEN[family], sources: 5, each: 3 });
      assert.equal(count, 15);
      assert.deepEqual(new Set(answers.map(({ from }) => from)), new Set([`${LISTEN[family]} 5000`]));
      assert.deepEqual(new Set(answers.map(({ saw }) => saw.split(" ")[0])), new Set([INNER.a[family]]));
      assert.equal(new Set(answers.map(({ saw }) => saw)).size, 5, "each flow has a source port of its own");
      const counted = await stats();
      assert.deepEqual(
        [counted!.packetsIn - (earlier?.packetsIn ?? 0), counted!.packetsOut - (earlier?.packetsOut ?? 0), counted?.flows],
        [15, 15, 5],
      );
      const flows = await datapath.flows(100, "f0");
      assert.equal(flows.length, 5);
      const flow = flows[0]!;
      assert.deepEqual([flow.listen, flow.backend, flow.packetsIn], [`${listen}:5000`, `${backend}:6000`, 3]);
      assert.ok(flow.seenAs.startsWith(family === 4 ? `${INNER.a[4]}:` : `[${INNER.a[6]}]:`), flow.seenAs);
    });

    check(`IPv${family}: ranges keep their ports or lead to one`, async () => {
      await apply(
        { listen: `${listen}:5000-5009`, to: [family === 4 ? backend : BACKEND.a[6]] },
        { listen: `${listen}:5100-5199`, to: [`${backend}:6001`] },
      );
      const [kept, one] = [await send({ to: LISTEN[family], port: 5004 }), await send({ to: LISTEN[family], port: 5150, sources: 3 })];
      assert.deepEqual([kept.count, kept.answers[0]?.from], [1, `${LISTEN[family]} 5004`]);
      assert.deepEqual([one.count, one.answers[0]?.from], [3, `${LISTEN[family]} 5150`]);
    });
  }

  check("a range of 2,000 ports; another forward takes the upper half over", async () => {
    const listen = (first: number, last: number): string => `${LISTEN[4]}:${first}-${last}`;
    const answered = async (...ports: number[]): Promise<string[]> => {
      const found: string[] = [];
      for (const port of ports) found.push(...Object.keys((await send({ port, waitMs: SILENCE_MS })).seenAt));
      return found;
    };
    await apply({ listen: listen(12_000, 13_999) });
    assert.deepEqual(await answered(12_000, 13_111, 13_999), ["a", "a", "a"]);
    await apply({ listen: listen(12_000, 12_999) }, { listen: listen(13_000, 13_999), to: [at("b", 6000)] });
    assert.deepEqual(await answered(12_000, 12_999, 13_000, 13_999), ["a", "a", "b", "b"]);
    await apply({ listen: listen(12_000, 12_999) });
    assert.deepEqual(await answered(12_999, 13_000), ["a"]);
  });

  check("weights: 3 to 1 within what chance explains; a flow stays where it is", async () => {
    await apply({ to: [`${at("a", 6000)}@3`, at("b", 6000)] });
    const from = fresh(400);
    const { count, seenAt, answers } = await send({ from, sources: 400, each: 2 });
    assert.equal(count, 800);
    // Four standard deviations of 400 choices: 0.087.
    assert.ok(Math.abs((seenAt.a ?? 0) / 800 - 0.75) < 0.09, JSON.stringify(seenAt));
    const places = new Map(answers.map((answer) => [answer.port, answer.at]));
    for (const answer of answers) assert.equal(answer.at, places.get(answer.port));
    const again = await send({ from, sources: 400 });
    for (const answer of again.answers) assert.equal(answer.at, places.get(answer.port), "a flow has moved");
  });

  check("choices given place by place: parts as they are given, changed ones move no flow that runs", async () => {
    const two = forwardOf({ to: [at("a", 6000), at("b", 6000)] }, 0);
    const table = (threeIn: number): Forward =>
      withChoices(
        two,
        Array.from({ length: 1024 }, (_, place) => (place % 4 === threeIn ? 1 : 0)),
      );
    const refusal = datapath.refuses(table(3));
    if (refusal !== undefined) {
      assert.match(refusal, /weights alone/);
      return;
    }
    await applyForwards([table(3)]);
    const from = fresh(400);
    const { seenAt, answers } = await send({ from, sources: 400 });
    assert.ok(Math.abs((seenAt.a ?? 0) / 400 - 0.75) < 0.09, JSON.stringify(seenAt));
    const homes = new Map(answers.map((answer) => [answer.port, answer.at]));
    await applyForwards([
      withChoices(
        two,
        Array.from({ length: 1024 }, () => 1),
      ),
    ]);
    for (const answer of (await send({ from, sources: 400 })).answers) assert.equal(answer.at, homes.get(answer.port), "a flow has moved");
  });

  check("balance source: all of a source goes to one backend", async () => {
    await apply({ to: [at("a", 6000), at("b", 6000)], balance: "source" });
    const { count, seenAt } = await send({ sources: 50 });
    assert.equal(count, 50);
    assert.equal(Object.keys(seenAt).length, 1);
  });

  check("a backend without weight keeps its flows and gets no new ones; one that is gone loses them to the others", async () => {
    await apply({ to: [at("a", 6000), at("b", 6000)] });
    const from = fresh(40);
    const first = await send({ from, sources: 40 });
    const homes = new Map(first.answers.map((answer) => [answer.port, answer.at]));
    await apply({ to: [`${at("a", 6000)}@0`, at("b", 6000)] });
    for (const answer of (await send({ from, sources: 40 })).answers) assert.equal(answer.at, homes.get(answer.port));
    assert.deepEqual((await send({ sources: 20 })).seenAt, { b: 20 });
    await apply({ to: [at("b", 6000)] });
    assert.deepEqual((await send({ from, sources: 40 })).seenAt, { b: 40 });
  });

  check("source: addresses and ports as given, each flow another", async () => {
    await apply({ source: [INNER.a[4]], sourceports: "30000-30099" });
    const { answers, count } = await send({ sources: 20 });
    assert.equal(count, 20);
    const saw = new Set(answers.map((answer) => answer.saw));
    assert.equal(saw.size, 20);
    for (const each of saw) assert.match(each, /^10\.77\.1\.1 300\d\d$/);
  });

  check("source: transparent, the backend sees the client", async () => {
    if (!datapath.capabilities.transparent) {
      assert.match(
        datapath.refuses(parseForward({ name: "t", listen: `${LISTEN[4]}:5000`, to: [at("a", 6000)], source: ["transparent"] }, "")) ?? "",
        /./,
      );
      return;
    }
    await apply({ source: ["transparent"] });
    const { answers } = await send();
    assert.equal(answers[0]?.saw, `${CLIENT[4]} ${answers[0]?.port}`);
    assert.equal(answers[0]?.from, `${LISTEN[4]} 5000`);
  });

  check("deny and allow: who is not served gets nothing and is counted", async () => {
    await apply(
      { deny: [`${CLIENT[4]}-${CLIENT[4]}`, "192.0.2.0/24"] },
      { listen: `${LISTEN[4]}:5001`, allow: ["192.0.2.0/24", "10.77.0.0/24"] },
    );
    assert.equal((await send({ waitMs: SILENCE_MS })).count, 0);
    assert.equal((await send({ port: 5001 })).count, 1);
    assert.equal((await stats())?.denied, 1);
    await apply({ allow: ["192.0.2.0/24"] });
    assert.equal((await send({ waitMs: SILENCE_MS })).count, 0);
    assert.equal((await stats())?.denied, 2);
  });

  for (const [what, limit] of [
    ["each source", { sourcepacketlimit: 50 }],
    ["a forward", { packetlimit: 50 }],
    ["a forward's bytes", { bytelimit: 70_000 }],
  ] as const) {
    check(`limits: of ${what}`, async () => {
      await apply(limit);
      const limited = (await stats())?.limited ?? 0;
      const [started, bytes] = [performance.now(), what.endsWith("bytes") ? 1372 : 100];
      // Long enough for what passes to come on a busy machine.
      const { count } = await send({ each: 200, bytes, waitMs: 3 * SILENCE_MS });
      const seconds = (performance.now() - started) / 1000;
      assert.ok(count >= 45 && count <= 51 * (1 + seconds) + 1, `${count} of 200 in ${seconds} s`);
      assert.equal((await stats())!.limited - limited, 200 - count);
    });
  }

  check("draining: flows go on, new ones are dropped and counted", async () => {
    await apply({});
    const from = fresh();
    assert.equal((await send({ from })).count, 1);
    await apply({ draining: true });
    assert.equal((await send({ from, each: 3 })).count, 3);
    const refused = (await stats())?.refused ?? 0;
    assert.equal((await send({ waitMs: SILENCE_MS })).count, 0);
    assert.equal((await stats())!.refused - refused, 1);
  });

  check("no backend with a weight: nothing new", async () => {
    await apply({ to: [`${at("a", 6000)}@0`] });
    assert.equal((await send({ waitMs: SILENCE_MS })).count, 0);
  });

  check("what is removed or off ends at once, beside what stays", async () => {
    await apply({}, { listen: `${LISTEN[4]}:5001` });
    const [one, two] = [fresh(), fresh()];
    assert.equal((await send({ from: one })).count, 1);
    assert.equal((await send({ from: two, port: 5001 })).count, 1);
    await apply({ enabled: false }, { listen: `${LISTEN[4]}:5001` });
    assert.equal((await send({ from: one, waitMs: SILENCE_MS })).count, 0);
    assert.equal((await datapath.flows(100, "f0")).length, 0);
    assert.equal((await send({ from: two, port: 5001 })).count, 1);
  });

  check("a source that sent before its place was one is served from then on", async () => {
    await apply({ listen: `${LISTEN[4]}:5001` });
    const from = fresh();
    assert.equal((await send({ from, waitMs: SILENCE_MS })).count, 0);
    await apply({});
    assert.equal((await send({ from })).count, 1);
    await apply({ enabled: false });
    assert.equal((await send({ from, waitMs: SILENCE_MS })).count, 0);
    await apply({ listen: `${LISTEN[4]}:4990-5010` });
    assert.equal((await send({ from })).count, 1);
  });

  check("a flow ends when it was idle for long enough, and begins again", async () => {
    await apply({ idle: 1 });
    const from = fresh();
    const there = async (): Promise<boolean> => (await datapath.flows(1000, "f0")).some(({ source }) => source.endsWith(`:${from}`));
    assert.equal((await send({ from })).count, 1);
    assert.equal(await there(), true);
    for (let tries = 0; tries < 40 && (await there()); tries++) await sleep(100);
    assert.equal(await there(), false);
    assert.equal((await send({ from })).count, 1);
  });

  check("datagrams longer than the path's packets come whole", async () => {
    await apply({});
    assert.equal((await send({ bytes: 4000 })).count, 1);
  });

  check("a backend that has nobody at its port: the client is told", async () => {
    for (const family of [4, 6] as const) {
      const [listen, backend] = family === 4 ? [LISTEN[4], BACKEND.a[4]] : [`[${LISTEN[6]}]`, `[${BACKEND.a[6]}]`];
      await apply({ listen: `${listen}:5009`, to: [`${backend}:6099`] });
      const { code } = await client.ask<{ code: string }>({ do: "refused", to: LISTEN[family], port: 5009, waitMs: 3000 });
      assert.equal(code, "ECONNREFUSED", `IPv${family}`);
    }
  });

  check("endFlows: one backend's, or all", async () => {
    await apply({ to: [at("a", 6000), at("b", 6000)] });
    await send({ sources: 30 });
    const flows = await datapath.flows(1000, "f0");
    const ofA = flows.filter(({ backend }) => backend === at("a", 6000)).length;
    assert.ok(ofA > 0 && ofA < flows.length, `${ofA} of ${flows.length}`);
    assert.equal(await datapath.endFlows("f0", at("a", 6000)), ofA);
    assert.equal(await datapath.endFlows("f0"), flows.length - ofA);
    assert.equal((await datapath.flows(100, "f0")).length, 0);
  });

  check("rollback leads back", async () => {
    await apply({});
    const kept = state;
    await apply({ to: [at("b", 6000)] });
    assert.deepEqual((await send()).seenAt, { b: 1 });
    await datapath.rollback();
    state = kept;
    assert.equal(await datapath.verify(), undefined);
    assert.deepEqual((await send()).seenAt, { a: 1 });
  });

  check(`${reloads} reloads while datagrams come every millisecond: none is lost`, async () => {
    const others = (n: number): Partial<ForwardEntry>[] => [
      { listen: `${LISTEN[4]}:${5200 + (n % 7)}`, idle: 60 + (n % 3), to: [at("a", 6000), `${at("b", 6000)}@${1 + (n % 3)}`] },
      ...(n % 2 === 0 ? [{ listen: `${LISTEN[4]}:5300-5399`, deny: ["192.0.2.0/24"] }] : []),
    ];
    await apply({});
    let done = false;
    const traffic = (async () => {
      const sum = { sent: 0, count: 0 };
      const from = fresh();
      while (!done) {
        const { sent, count } = await send({ from, each: 500, gapMs: 1 });
        sum.sent += sent;
        sum.count += count;
        // New flows too: they are who finds a gap.
        const many = await send({ sources: 20 });
        sum.sent += many.sent;
        sum.count += many.count;
      }
      return sum;
    })();
    try {
      for (let n = 0; n < reloads; n++) {
        await apply({}, ...others(n));
        // A datapath inside this process is to have its turn: a change may be made without waiting for anything.
        await new Promise(setImmediate);
      }
    } finally {
      done = true;
    }
    const { sent, count } = await traffic;
    assert.equal(count, sent, `${sent - count} of ${sent} lost`);
  });

  check("another process takes over without losing a datagram", async () => {
    await apply({});
    if (!datapath.capabilities.outlivesProcess) return;
    const traffic = send({ from: fresh(), each: 600, gapMs: 1 });
    await sleep(100);
    await datapath.close(true);
    await sleep(100);
    datapath = await open();
    await datapath.apply(plan(NOTHING_DESIRED, state));
    assert.equal(await datapath.verify(), undefined);
    const { sent, count } = await traffic;
    assert.equal(count, sent);
  });

  check("capture: packets of one forward, both ways, between the two translations; a second one beside it sees all, whole", async () => {
    if (!datapath.capabilities.capture) return;
    await apply({}, { listen: `${LISTEN[4]}:5001` });
    await captures(datapath, async () => {
      await send({ each: 5, bytes: 1200 });
      await send({ each: 5, port: 5001 });
    });
  });
}

/** "10.77.1.2:6000" */
function at(place: "a" | "b", port: number): string {
  return `${BACKEND[place][4]}:${port}`;
}
