/**
 * The page: one player a channel, what the links below them do, and how to publish. Reads /api/status once a second and draws four times a second.
 *
 *   ?channels=tunnel,plain   plays these; otherwise the composition's plan, otherwise every channel, at most four
 *
 * `window.longhaul.players` holds the measured figures of every player, for tests and for whoever is curious.
 */
import type { Extra, PlayerPlan } from "../../live/link-figures.ts";
import type { Status } from "../../live/status.ts";
import { Card } from "./card.ts";
import type { Figures } from "./figures.ts";
import { drawLinks } from "./link-table.ts";
import { drawPublish } from "./publish.ts";
import { ServerClock } from "./server-clock.ts";

declare global {
  interface Window {
    longhaul: { players: readonly Figures[] };
  }
}

const POLL_EVERY = 1000;
const DRAW_EVERY = 250;
const SAMPLE_EVERY = 50;
const PLAYERS_MAX = 4;
const LATENCY_SCALE_MIN = 2000;

const clock = new ServerClock();
const cards: Card[] = [];
window.longhaul = {
  get players() {
    return cards.map((card) => card.figures);
  },
};

void poll();
setInterval(draw, DRAW_EVERY);
setInterval(() => {
  for (const card of cards) card.sample();
}, SAMPLE_EVERY);

async function poll(): Promise<void> {
  try {
    const status = await clock.sample<Status>("/api/status");
    const extra = (status.extra ?? {}) as Extra;
    if (cards.length === 0) begin(status, extra);
    for (const card of cards) {
      const channel = status.channels.find(({ name }) => name === card.plan.channel);
      if (channel !== undefined) card.update(channel);
    }
    drawLinks(element("links"), extra.links ?? []);
    drawPublish(element("publish"), status, extra);
    const live = status.channels.filter((channel) => channel.live).length;
    element("summary").textContent = `${live} of ${status.channels.length} channels live · server ${clock.rttMs.toFixed(0)} ms away`;
  } catch {
    element("summary").textContent = "the server does not answer; trying again…";
  }
  setTimeout(poll, POLL_EVERY);
}

function begin(status: Status, extra: Extra): void {
  const plans = choose(status, extra);
  const players = element("players");
  for (const plan of plans) {
    const channel = status.channels.find(({ name }) => name === plan.channel);
    if (channel !== undefined) cards.push(new Card(players, plan, channel.url, clock));
  }
}

function choose(status: Status, extra: Extra): readonly PlayerPlan[] {
  const asked = new URLSearchParams(location.search).get("channels");
  const planned = extra.players ?? status.channels.map(({ name }) => ({ channel: name, title: name }));
  if (asked === null) return planned.slice(0, PLAYERS_MAX);
  const names = asked.split(",").slice(0, PLAYERS_MAX);
  return names.map((channel) => planned.find((plan) => plan.channel === channel) ?? { channel, title: channel });
}

/** All sparklines share one scale, so that the eye may compare them. */
function draw(): void {
  for (const card of cards) card.record();
  const scaleMs = Math.max(LATENCY_SCALE_MIN, ...cards.map((card) => card.highestMs));
  for (const card of cards) card.draw(scaleMs);
}

function element(id: string): HTMLElement {
  const found = document.getElementById(id);
  if (found === null) throw new Error(`the page has no #${id}`);
  return found;
}
