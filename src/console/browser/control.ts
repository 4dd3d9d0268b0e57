/** The page of a control process: who is signed in sees edges and accelerators, every two seconds anew, and turns dials and weights where they stand. */
import type * as ga from "@aws-sdk/client-global-accelerator";
import type { ConsoleEdges } from "../../control/console/console-api.ts";
import { type Accelerator, AcceleratorCard, type CardOptions } from "./accelerator-card.ts";
import { acceleratorForm } from "./accelerator-forms.ts";
import { showChildren } from "./children.ts";
import { call, edges, SignedOut } from "./control-calls.ts";
import { Door, element } from "./door.ts";
import { drawEdges } from "./edge-table.ts";
import { drawFlows } from "./flow-table.ts";
import { drawMap } from "./region-map.ts";

const POLL_EVERY = 2000;
const PAGE = 20;

const cards = new Map<string, AcceleratorCard>();
let pages = 1;
let options: CardOptions | undefined;
let timer: ReturnType<typeof setTimeout> | undefined;

const door = new Door(["edges", "accelerators"], {
  entered: (changeable, admin) => {
    options = { changeable, admin, changed: poll, failed: (problem) => door.failed(problem) };
    element("accelerators")
      .querySelector(".new")!
      .replaceChildren(...(admin ? [acceleratorForm(poll)] : []));
    return poll();
  },
  left: () => {
    clearTimeout(timer);
    cards.clear();
    drawn = undefined;
    for (const id of ["ways", "flows"]) element(id).hidden = true;
    element("accelerators").querySelector(".list")!.replaceChildren();
  },
});
element("accelerators")
  .querySelector(".more")!
  .addEventListener("click", () => {
    pages++;
    void poll();
  });

void door.begin();

async function poll(): Promise<void> {
  clearTimeout(timer);
  try {
    await Promise.all([look(), edges().then(drawAll)]);
  } catch (error) {
    door.failed(error);
    if (error instanceof SignedOut) return;
  }
  timer = setTimeout(poll, POLL_EVERY);
}

/** What was drawn last, for another width. */
let drawn: ConsoleEdges | undefined;
addEventListener("resize", () => {
  if (drawn !== undefined) drawMap(element("ways"), drawn);
});

function drawAll(state: ConsoleEdges): void {
  drawn = state;
  drawEdges(element("edges"), state);
  drawMap(element("ways"), state);
  drawFlows(element("flows"), state);
}

/** Accelerators page by page, as many as are shown, and what is in those that are open. */
async function look(): Promise<void> {
  const list = element("accelerators").querySelector(".list")!;
  const all: Accelerator[] = [];
  let NextToken: string | undefined;
  for (let i = 0; i < pages && (i === 0 || NextToken !== undefined); i++) {
    const answer = await call<ga.ListAcceleratorsCommandOutput>("ListAccelerators", { MaxResults: PAGE, NextToken });
    all.push(...(answer.Accelerators ?? []));
    NextToken = answer.NextToken;
  }
  (element("accelerators").querySelector(".more") as HTMLElement).hidden = NextToken === undefined;
  const shown = all.map((accelerator, i) => {
    const arn = accelerator.AcceleratorArn!;
    let card = cards.get(arn);
    if (card === undefined) {
      card = new AcceleratorCard(arn, options!);
      card.root.open = i === 0 && cards.size === 0;
      cards.set(arn, card);
    }
    card.show(accelerator);
    return card;
  });
  showChildren(
    list,
    shown.map(({ root }) => root),
  );
  for (const arn of cards.keys()) if (!all.some(({ AcceleratorArn }) => AcceleratorArn === arn)) cards.delete(arn);
  await Promise.all(shown.map((card) => card.refresh()));
  const progress = all.filter(({ Status }) => Status !== "DEPLOYED").length;
  const state = progress === 0 ? "all deployed" : `${progress} in progress`;
  door.say(`${all.length}${NextToken === undefined ? "" : "+"} accelerators, ${state}`);
}
