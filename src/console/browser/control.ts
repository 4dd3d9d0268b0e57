/** The page of a control process: who is signed in sees edges and accelerators, every two seconds anew, and turns dials and weights where they stand. */
import type * as ga from "@aws-sdk/client-global-accelerator";
import { type Accelerator, AcceleratorCard, type CardOptions } from "./accelerator-card.ts";
import { call, edges, SignedOut, session, signIn, signOut } from "./control-calls.ts";
import { drawEdges } from "./edge-table.ts";

const POLL_EVERY = 2000;
const PAGE = 20;

const cards = new Map<string, AcceleratorCard>();
let pages = 1;
let options: CardOptions | undefined;
let timer: ReturnType<typeof setTimeout> | undefined;

const form = element("sign-in") as HTMLFormElement;
form.addEventListener("submit", (event) => {
  event.preventDefault();
  const [id, secret] = ["id", "secret"].map((name) => form.elements.namedItem(name) as HTMLInputElement);
  const problem = form.querySelector(".problem")!;
  problem.textContent = "";
  signIn(id!.value.trim(), secret!.value.trim())
    .then(() => {
      form.reset();
      return begin();
    })
    .catch((error: Error) => {
      problem.textContent = error instanceof SignedOut ? "There is no such access key, or its secret is another one." : error.message;
    });
});
element("who")
  .querySelector("button")!
  .addEventListener("click", () => void signOut().then(signedOut, failed));
element("accelerators")
  .querySelector(".more")!
  .addEventListener("click", () => {
    pages++;
    void poll();
  });

void begin();

async function begin(): Promise<void> {
  try {
    const { accessKey, role } = await session();
    options = { changeable: role !== "read-only", failed };
    form.hidden = true;
    for (const id of ["who", "edges", "accelerators"]) element(id).hidden = false;
    element("who").querySelector("span")!.textContent = `${accessKey} · ${role}`;
    await poll();
  } catch (error) {
    failed(error);
  }
}

async function poll(): Promise<void> {
  clearTimeout(timer);
  try {
    await Promise.all([look(), edges().then((state) => drawEdges(element("edges"), state))]);
  } catch (error) {
    failed(error);
    if (error instanceof SignedOut) return;
  }
  timer = setTimeout(poll, POLL_EVERY);
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
  const roots = shown.map(({ root }) => root);
  if (roots.length !== list.children.length || roots.some((root, i) => list.children[i] !== root)) list.replaceChildren(...roots);
  for (const arn of cards.keys()) if (!all.some(({ AcceleratorArn }) => AcceleratorArn === arn)) cards.delete(arn);
  await Promise.all(shown.map((card) => card.refresh()));
  const progress = all.filter(({ Status }) => Status !== "DEPLOYED").length;
  element("summary").textContent =
    `${all.length}${NextToken === undefined ? "" : "+"} accelerators, ${progress === 0 ? "all deployed" : `${progress} in progress`}`;
  delete element("summary").dataset.bad;
}

function signedOut(): void {
  clearTimeout(timer);
  cards.clear();
  element("accelerators").querySelector(".list")!.replaceChildren();
  for (const id of ["who", "edges", "accelerators"]) element(id).hidden = true;
  form.hidden = false;
  element("summary").textContent = "";
}

/** Whatever went wrong is said at the top of the page until something goes well. */
function failed(problem: unknown): void {
  if (problem instanceof SignedOut) {
    signedOut();
    return;
  }
  element("summary").textContent = problem instanceof TypeError ? "the server does not answer; trying again…" : (problem as Error).message;
  element("summary").dataset.bad = "";
}

function element(id: string): HTMLElement {
  const found = document.getElementById(id);
  if (found === null) throw new Error(`the page has no #${id}`);
  return found;
}
