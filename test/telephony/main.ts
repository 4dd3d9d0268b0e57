/**
 * Telephony through an edge: callers by SIP over UDP (sipp) and over WebSocket (JsSIP in Chromium), two regions of Kamailio, rtpengine and a callee. The region
 * in which the browser is dies in the middle of a thousand calls.
 *
 *   caller ── 198.51.100.1 at the edge ─┬─ 5060/udp, 8080/tcp: a region, by health          signalling, a standard accelerator
 *                                       └─ 20000…, 30000…/udp: region a's, b's media ports   voice, custom routing
 *
 *   npm run test:telephony          needs root, kamailio, rtpengine, sipp, Chromium; TELEPHONY_SHORT=1 makes it a hundred calls
 */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { writeFileSync } from "node:fs";
import { request } from "node:http";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { chromiumMissing } from "../browser/watch.ts";
import { ADDRESS, ENDPOINT, Lab, labMissing } from "../edge/lab.ts";
import { until } from "../until.ts";
import { BrowserCaller } from "./browser.ts";
import { Callers } from "./callers.ts";
import { MEDIA, MEDIA_PORTS, type Name, Region, SIP, WEBSOCKET } from "./region.ts";
import type { CallLine } from "./scenarios.ts";
import { VoiceCounters } from "./voice-counters.ts";

const short = process.env.TELEPHONY_SHORT === "1";
const CALLS = short ? 100 : 1000;
const PER_SECOND = short ? 25 : 50;
const HOLD_MS = 2000;
/** Sources of calls with voice: which region each gets follows from its port. */
const VOICES = 6;
const VOICE_CALLS = 3;
const VOICE_SECONDS = short ? 10 : 30;

const absent = ["kamailio", "rtpengine", "sipp"].find((program) => spawnSync("which", [program]).status !== 0);
const skip = labMissing() ?? (absent === undefined ? chromiumMissing : `${absent} is not installed`);

let lab: Lab;
const regions = new Map<Name, Region>();
const browser = new BrowserCaller();

function configuration(): object {
  const check = { protocol: "SIP", port: SIP, intervalMs: 200, timeoutMs: 300, threshold: 2 };
  // Whichever is closer keeps half of the flows.
  const group = (name: Name) => ({
    ...{ id: `g-${name}`, region: name, dial: 50, check },
    endpoints: [{ id: name, host: ENDPOINT[name] }],
  });
  const groups = [group("a"), group("b")];
  const routes = (["a", "b"] as const).map((name) => {
    return { first: MEDIA[name], count: MEDIA_PORTS, address: ENDPOINT[name], port: MEDIA[name], protocols: ["UDP"] };
  });
  const ports = routes.map(({ first }) => ({ from: first, to: first + MEDIA_PORTS - 1 }));
  return {
    accelerators: [
      {
        ...{ id: "voice", addresses: [ADDRESS] },
        listeners: [
          { id: "sip", protocol: "UDP", ports: [{ from: SIP, to: SIP }], groups },
          { id: "websocket", protocol: "TCP", ports: [{ from: WEBSOCKET, to: WEBSOCKET }], groups },
        ],
      },
      { id: "media", addresses: [ADDRESS], listeners: [{ id: "rtp", protocol: "UDP", ports, routes }] },
    ],
  };
}

before(async () => {
  if (skip) return;
  lab = new Lab();
  lab.run("r", "ip", "route", "add", `${ADDRESS}/32`, "via", "10.82.1.2");
  const file = join(lab.folder, "edge.json");
  const watched = join(lab.folder, "edge.sock");
  writeFileSync(file, JSON.stringify(configuration()));
  const main = join(import.meta.dirname, "../../src/main.ts");
  lab.spawn("e1", [process.execPath, main, "edge", "--file", file, "--interface", "lo", "--metrics", watched, "--state", lab.folder], true);
  for (const name of ["a", "b"] as const) {
    const region = new Region(lab, name);
    regions.set(name, region);
    await region.start();
  }
  for (let tries = 0; !(await healthy(watched)); tries++) {
    assert.ok(tries < 300, "both regions answer the edge");
    await sleep(100);
  }
});

after(async () => {
  await browser.close();
  lab?.close();
});

test("a browser's call, by WebSocket and WebRTC, is answered and heard", { skip }, async () => {
  await browser.open(lab.prefix("c"));
  const called = await browser.call(3);
  process.stdout.write(`  ${JSON.stringify(called)}\n`);
  assert.equal(called.failure, "");
  assert.ok(called.sent > 100 && called.received >= called.sent * 0.9 && called.lost === 0, JSON.stringify(called));
});

test(`${CALLS} calls at ${PER_SECOND} a second while a region dies: those set up from a second later on all succeed, voices of the live one lose nothing`, {
  skip,
}, async () => {
  const { region } = await browser.call(1);
  assert.match(region, /^[ab]$/);
  const dying = region as Name;
  const live = dying === "a" ? "b" : "a";
  const counters = new VoiceCounters(lab);
  const voices = Array.from({ length: VOICES }, (_, i) => {
    const voiceFrom = { port: 40_000 + i, mediaPort: 50_000 + 100 * i };
    return new Callers(lab, `voice${i}`, { calls: VOICE_CALLS, perSecond: 5, holdMs: VOICE_SECONDS * 1000, voiceFrom });
  });
  await sleep(2000);
  const callers = new Callers(lab, "calls", { calls: CALLS, perSecond: PER_SECOND, holdMs: HOLD_MS });
  await sleep((CALLS / PER_SECOND / 2) * 1000);
  const died = Date.now();
  regions.get(dying)!.die();
  await until("all calls have begun", () => count(callers.lines(), "begun") === CALLS, CALLS / PER_SECOND + 30).catch(judgedAsItIs);
  await sleep(HOLD_MS + 3000);
  callers.end();
  judge(callers.lines(), died, live);

  await until("all calls are over", () => voices.every((each) => isOver(each.lines(), live)), VOICE_SECONDS + 30).catch(judgedAsItIs);
  for (const each of voices) each.end();
  const lines = voices.flatMap((each) => each.lines());
  const at = (name: Name): number => lines.filter(({ what, region: by }) => what === "answered" && by === name).length;
  const { sent, arrived, echoed, returned } = counters.read(live);
  process.stdout.write(`  voices: ${at(live)} calls at the live region, ${at(dying)} at the other; ${sent} packets sent to the live one\n`);
  process.stdout.write(`  ${arrived} arrived there, ${echoed} left it again, ${returned} came back\n`);
  assert.ok(at(live) > 0 && at(dying) > 0, "voices at both regions");
  assert.ok(sent > at(live) * (VOICE_SECONDS - 2) * 50, `${sent} packets sent`);
  assert.deepEqual([arrived, echoed, returned], [sent, sent, sent]);
});

test("the browser, whose region it was, is connected again, and its call is answered by the other one", { skip }, async () => {
  const called = await browser.call(2);
  process.stdout.write(`  ${JSON.stringify(called)}\n`);
  assert.equal(called.failure, "");
  assert.ok(called.received > 50, JSON.stringify(called));
});

const count = (lines: readonly CallLine[], what: CallLine["what"]): number => lines.filter((line) => line.what === what).length;

/** All calls that this region answered have ended. */
function isOver(lines: readonly CallLine[], region: Name): boolean {
  const over = new Set(lines.filter(({ what }) => what === "over").map(({ call }) => call));
  return lines.every(({ region: by, call }) => by !== region || over.has(call));
}

/** What has not come true by then is judged as it is. */
function judgedAsItIs(): void {}

function judge(lines: readonly CallLine[], died: number, live: Name): void {
  const begun = lines.filter(({ what }) => what === "begun");
  const of = (what: CallLine["what"]): Map<number, CallLine> =>
    new Map(lines.filter((line) => line.what === what).map((line) => [line.call, line]));
  const [answered, over] = [of("answered"), of("over")];
  const before = begun.filter(({ at }) => at < died);
  const meanwhile = begun.filter(({ at }) => at >= died && at < died + 1000);
  const later = begun.filter(({ at }) => at >= died + 1000);
  const bad = (some: readonly CallLine[]): CallLine[] => some.filter(({ call }) => !answered.has(call) || !over.has(call));
  for (const [name, some] of Object.entries({ before, "in the second after": meanwhile, later })) {
    const by = (region: Name): number => some.filter(({ call }) => answered.get(call)?.region === region).length;
    process.stdout.write(
      `  ${name}: ${some.length} begun, ${by("a")} answered by a, ${by("b")} by b, ${bad(some).length} not carried through\n`,
    );
  }
  assert.equal(begun.length, CALLS);
  assert.ok(later.length >= CALLS / 5, `${later.length} calls begun a second later`);
  assert.deepEqual(bad(later), []);
  assert.ok(later.every(({ call }) => answered.get(call)?.region === live));
}

async function healthy(path: string): Promise<boolean> {
  const text = await new Promise<string>((settle) => {
    request({ socketPath: path, path: "/status" }, async (response) => settle(Buffer.concat(await response.toArray()).toString()))
      .on("error", () => settle("{}"))
      .end();
  });
  const { endpoints = [] } = JSON.parse(text) as { endpoints?: { healthy?: boolean }[] };
  return endpoints.length >= 2 && endpoints.every((endpoint) => endpoint.healthy === true);
}
