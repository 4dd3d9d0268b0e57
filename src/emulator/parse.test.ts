import assert from "node:assert/strict";
import { test } from "node:test";
import { ConfigError } from "../base/errors.ts";
import { IDEAL } from "./parameters.ts";
import { parseLink, parseTrace } from "./parse.ts";

test("the netlab profiles", () => {
  assert.deepEqual(parseLink(""), IDEAL);
  const a = parseLink("delay=100 loss=1% rate=20mbit qbytes=512k");
  assert.deepEqual(a, { ...IDEAL, delay: 100, loss: 0.01, rate: 20e6, queueBytes: 524_288 });
  const e = parseLink("delay=0.05s,loss=0.005, rate=20M\nudprate=1mbit udpburst=32kb");
  assert.deepEqual(e, { ...IDEAL, delay: 50, loss: 0.005, rate: 20e6, policedRate: 1e6, policedBurst: 32_768 });
});

test("bursts from mean and length, from transitions and from times", () => {
  const { burstLoss } = parseLink("ge=5%:5");
  assert.ok(burstLoss !== undefined && Math.abs(burstLoss.enter - 0.05 / 0.95 / 5) < 1e-12);
  assert.equal(burstLoss.leave, 0.2);
  assert.deepEqual(parseLink("gem=0.5%:20%:80%").burstLoss, { per: "datagram", enter: 0.005, leave: 0.2, lossBad: 0.8, lossGood: 0 });
  assert.deepEqual(parseLink("get=1s:200ms").burstLoss, { per: "time", enter: 1000, leave: 200, lossBad: 1, lossGood: 0 });
  assert.equal(parseLink("ge=0", parseLink("ge=5%:5")).burstLoss, undefined);
});

test("every key changes what is parsed", () => {
  const words = "delay=1 jitter=1 jdist=normal reorder=1 rextra=1%:7 loss=1% ge=1% lossat=in rate=1 ovh=28 qbytes=1 qpkts=1";
  for (const word of `${words} udprate=1 udpburst=1 udpdrop=1 tcpdrop=1 dup=1 down=1 gem=1:1 get=1:1`.split(" ")) {
    assert.notDeepEqual(parseLink(word), IDEAL, word);
  }
});

test("a wrong link is one sentence that names the key and what is allowed", () => {
  for (const [text, key, says] of [
    ["dely=100", "link", /"dely=100" is not key=value with one of the keys delay, /],
    ["delay", "link", /"delay" is not key=value/],
    ["toString=1", "link", /not key=value/],
    ["loss=101%", "link.loss", /loss is "101%"; allowed is 0 to 1 or 0% to 100%/],
    ["loss=-1%", "link.loss", /allowed/],
    ["delay=5min", "link.delay", /allowed is a time/],
    ["rate=fast", "link.rate", /allowed is a number/],
    ["ge=5%:0.5", "link.ge", /bursts of at least 1/],
    ["ge=99%:1", "link.ge", /long enough/],
    ["gem=1%", "link.gem", /2 to 4 values/],
    ["down=yes", "link.down", /0 or 1/],
    ["jdist=zipf", "link.jdist", /uniform, normal or exp/],
    ["ovh=28b", "link.ovh", /without a unit/],
  ] as const) {
    assert.throws(
      () => parseLink(text),
      (error) => error instanceof ConfigError && error.key === key && says.test(error.message) && !error.message.includes("\n"),
      text,
    );
  }
});

test("traces", () => {
  const trace = parseTrace("# drop\n20 both rate=20mbit\n10 ab rate=8mbit # slow\n\nloop 30\n");
  assert.deepEqual(trace, {
    events: [
      { at: 10_000, direction: "ab", change: "rate=8mbit" },
      { at: 20_000, direction: "both", change: "rate=20mbit" },
    ],
    loop: 30_000,
  });
  assert.throws(() => parseTrace("10 up rate=1"), /line 1 is "10 up rate=1"/);
  assert.throws(() => parseTrace("10 ab speed=1"), /"speed=1" is not/);
  assert.throws(() => parseTrace("10 ab down=1\nloop 10"), /loop is 10 s; allowed is more than the 10 s/);
});
