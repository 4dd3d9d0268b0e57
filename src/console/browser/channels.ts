/** The page of an installation's channels: who is signed in sees them, every two seconds anew, opens one to watch how it does, and makes and changes them. */
import type * as ivs from "@aws-sdk/client-ivs";
import type { Extra } from "../../live/link-figures.ts";
import type { Status } from "../../live/status.ts";
import { ChannelCard, type ChannelCardOptions } from "./channel-card.ts";
import { showChildren } from "./children.ts";
import { ivsCall, ours, SignedOut } from "./control-calls.ts";
import { Door, element } from "./door.ts";
import { ServerClock } from "./server-clock.ts";
import { SettingFields } from "./setting-fields.ts";
import { shownKey } from "./stream-key.ts";

const POLL_EVERY = 2000;
const DRAW_EVERY = 250;
const SAMPLE_EVERY = 50;
const PAGE = 50;

const clock = new ServerClock();
const cards = new Map<string, ChannelCard>();
let pages = 1;
let rtmps: string | undefined;
let options: ChannelCardOptions | undefined;
let timer: ReturnType<typeof setTimeout> | undefined;

const door = new Door(["channels"], {
  entered(changeable, admin) {
    element("create").hidden = !admin;
    options = { changeable, admin, clock, rtmps: () => rtmps, failed: (problem) => door.failed(problem), changed: () => void poll() };
    return poll();
  },
  left() {
    clearTimeout(timer);
    for (const card of cards.values()) card.close();
    cards.clear();
    element("create").hidden = true;
    for (const place of [".made", ".list"]) document.querySelector(place)!.replaceChildren();
  },
});
const form = element("create").querySelector("form")!;
const fields = new SettingFields(form.querySelector("button")!);
form.addEventListener("submit", (event) => {
  event.preventDefault();
  create().catch((error: Error) => {
    form.querySelector(".problem")!.textContent = error.message;
  });
});
element("channels")
  .querySelector(".more")!
  .addEventListener("click", () => {
    pages++;
    void poll();
  });

void door.begin();
setInterval(() => {
  for (const card of cards.values()) card.draw();
}, DRAW_EVERY);
setInterval(() => {
  for (const card of cards.values()) card.sample();
}, SAMPLE_EVERY);

async function create(): Promise<void> {
  form.querySelector(".problem")!.textContent = "";
  const name = (form.elements.namedItem("name") as HTMLInputElement).value;
  const { channel, streamKey } = await ivsCall<ivs.CreateChannelResponse>("CreateChannel", { name, ...fields.value });
  element("create")
    .querySelector(".made")!
    .replaceChildren(shownKey(channel!, streamKey!.value!, rtmps));
  form.reset();
  await poll();
}

async function poll(): Promise<void> {
  clearTimeout(timer);
  try {
    await look();
  } catch (error) {
    door.failed(error);
    if (error instanceof SignedOut) return;
  }
  timer = setTimeout(poll, POLL_EVERY);
}

/** Channels page by page, as many as are shown, what is on the air, and what is in those that are open. */
async function look(): Promise<void> {
  const [all, more] = await channels();
  const [{ streams = [] }, status] = await Promise.all([
    ivsCall<ivs.ListStreamsResponse>("ListStreams", {}),
    clock.sample<Status>("/console/status", ours),
  ]);
  rtmps = (status.extra as Extra | undefined)?.publish?.rtmps;
  (element("channels").querySelector(".more") as HTMLElement).hidden = !more;
  const shown = all.map((channel) => {
    const arn = channel.arn!;
    const card = cards.get(arn) ?? new ChannelCard(arn, options!);
    cards.set(arn, card);
    const stream = streams.find(({ channelArn }) => channelArn === arn);
    const found = status.channels.find(({ name }) => name === card.id);
    card.show(channel, stream, found);
    return card;
  });
  for (const [arn, card] of cards)
    if (!shown.includes(card)) {
      card.close();
      cards.delete(arn);
    }
  showChildren(
    element("channels").querySelector(".list")!,
    shown.map(({ root }) => root),
  );
  await Promise.all(shown.map((card) => card.refresh()));
  door.say(`${all.length}${more ? "+" : ""} channels, ${streams.length} live · server ${clock.rttMs.toFixed(0)} ms away`);
}

async function channels(): Promise<readonly [channels: readonly ivs.ChannelSummary[], more: boolean]> {
  const all: ivs.ChannelSummary[] = [];
  let nextToken: string | undefined;
  for (let i = 0; i < pages && (i === 0 || nextToken !== undefined); i++) {
    const given = nextToken === undefined ? {} : { nextToken };
    const answer = await ivsCall<ivs.ListChannelsResponse>("ListChannels", { maxResults: PAGE, ...given });
    all.push(...(answer.channels ?? []));
    nextToken = answer.nextToken;
  }
  return [all, nextToken !== undefined];
}
