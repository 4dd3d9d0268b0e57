/** What KCP keeps promising over bad links. */
import { assert } from "../src/base/assert.ts";
import { kcpTable } from "./kcp-table.ts";
import { exchangeMessages, type MessagesOptions, type MessagesResult, modes, quantile } from "./messages.ts";
import type { Outcome, Scenario } from "./scenario.ts";

/** A scenario of messages, and what must hold beyond their arrival in order. */
function messages(name: string, about: string, options: MessagesOptions, holds: (result: MessagesResult) => void = () => {}): Scenario {
  return {
    name,
    about,
    run: (seed) => {
      const result = exchangeMessages(options, seed);
      holds(result);
      return outcome(options, result);
    },
  };
}

function outcome(options: MessagesOptions, result: MessagesResult): Outcome {
  const { delays, finishedAt, cost, sender, receiver, links } = result;
  const [p50, p95, max] = [0.5, 0.95, 1].map((q) => quantile(delays, q).toFixed(1));
  const stats = { sender: { ...sender.stats }, receiver: { ...receiver.stats } };
  const { outPkts, retransSegs, fastRetransSegs, earlyRetransSegs, lostSegs } = sender.stats;
  const text = [
    `link            ${options.link}`,
    `messages        ${options.messages} in ${(finishedAt / 1000).toFixed(2)} s of virtual time`,
    `delay ms        p50 ${p50}  p95 ${p95}  max ${max}`,
    `packets         ${outPkts} sent, cost ${cost.toFixed(3)}`,
    `resent          ${retransSegs}: ${fastRetransSegs} fast, ${earlyRetransSegs} early, ${lostSegs} by time`,
    `link dropped    ${links[0].droppedLoss} of ${links[0].received}, ${links[1].droppedLoss} of ${links[1].received} back`,
  ].join("\n");
  return { text: `${text}\n`, counted: { ...stats, links, finishedAt, delays: [...delays] } };
}

const steady = { kcp: modes.fast3, messages: 1000, period: 10, bytesMax: 400, within: 120_000 } as const;

export const kcpScenarios: readonly Scenario[] = [
  messages("kcp-loss", "20,000 messages, as fast as the window takes them, over 10 % loss each way", {
    link: "delay=50 loss=10%",
    kcp: modes.fast3,
    messages: 20_000,
    period: 0,
    bytesMax: 300,
    within: 600_000,
  }),
  messages(
    "kcp-outage",
    "The link is gone for 5 s; messages arrive within 1.5 s of its return",
    {
      ...steady,
      link: "delay=50 loss=1%",
      changes: [
        { at: 3000, link: "down=1" },
        { at: 8000, link: "down=0" },
      ],
    },
    ({ delays }) => {
      assert(quantile(delays, 1) > 5000, "the outage delayed what was sent at its start");
      // Message i is sent at (i + 1) · period.
      const late = delays.findLastIndex((delay, i) => (i + 1) * steady.period > 9500 && delay > 1000);
      assert(late === -1, `message ${late} still took ${delays[late]} ms`);
    },
  ),
  messages(
    "kcp-reorder",
    "Jitter that reorders; nothing is lost, so little may be resent",
    { ...steady, link: "delay=50 jitter=15 reorder=1" },
    // kcp-go's RTO follows the jitter only slowly (bit for bit the same here), so some timeouts are its own: 2 to 3 in a hundred messages.
    ({ sender }) => assert(sender.stats.lostSegs < steady.messages * 0.05, `${sender.stats.lostSegs} timeouts`),
  ),
  messages("kcp-duplicate", "Every second datagram arrives twice", { ...steady, link: "delay=50 dup=50%" }, ({ receiver }) =>
    assert(receiver.stats.repeatSegs > 100, `${receiver.stats.repeatSegs} repeats`),
  ),
  messages("kcp-congestion-control", "nc = 0 through a narrow bottleneck with a short queue", {
    ...steady,
    link: "delay=30 rate=1mbit qbytes=16k",
    kcp: { ...modes.normal, nc: 0 },
  }),
  messages("kcp-2021", "The older profile over bursts of loss", {
    ...steady,
    link: "delay=50 ge=5%:4",
    kcp: { ...modes.fast2, profile: "2021" },
  }),
  { name: "kcp-table", about: "Delay and cost by loss, round trip and mode: sim/kcp-table.md", run: kcpTable },
];
