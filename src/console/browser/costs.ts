/** The cost page: reads the form, writes two columns beside each other. */
import { type ChannelType, egress, input, ownMachines, type Resolution, regions, viewing } from "./ivs-prices.ts";
import { build } from "./text.ts";

const form = document.querySelector<HTMLFormElement>("#costs")!;
const result = document.querySelector<HTMLElement>("#result")!;
const choice = form.elements.namedItem("region") as HTMLSelectElement;
for (const { name } of regions) choice.append(new Option(name));

function text(name: string): string {
  return (form.elements.namedItem(name) as HTMLInputElement | HTMLSelectElement).value;
}

function number(name: string): number {
  const value = Number(text(name));
  return Number.isFinite(value) && value > 0 ? value : 0;
}

function dollars(amount: number): string {
  return amount.toLocaleString("en", { style: "currency", currency: "USD", maximumFractionDigits: amount < 100 ? 2 : 0 });
}

function column(title: string, rows: readonly (readonly [string, string])[], total: number, good: boolean): HTMLElement {
  const card = build("div", "way", "");
  const list = document.createElement("dl");
  for (const [label, value] of rows) {
    const row = document.createElement("div");
    row.append(build("dt", "", label), build("dd", "", value));
    list.append(row);
  }
  card.append(build("h3", "", title), list, build("strong", good ? "total good" : "total", dollars(total)));
  return card;
}

function draw(): void {
  const region = regions[choice.selectedIndex] ?? regions[0]!;
  const viewerHours = number("viewerHours");
  const shown = viewing(region, text("resolution") as Resolution, viewerHours);
  const sent = input(text("type") as ChannelType, number("channelHours"));
  const gigabytes = egress(viewerHours, number("megabits"));
  const own = ownMachines(number("machines"), number("perMachine"), gigabytes, number("perGigabyte"));
  const machines = number("machines") * number("perMachine");
  const aws = [["Viewer hours", dollars(shown)] as const, ["Channel hours", dollars(sent)] as const];
  const ours = [
    ["Machines", dollars(machines)] as const,
    [`${Math.round(gigabytes).toLocaleString("en")} GB sent`, dollars(own - machines)] as const,
  ];
  result.replaceChildren(
    column("Amazon IVS", aws, shown + sent, shown + sent < own),
    column("Longhaul, your machines", ours, own, own <= shown + sent),
  );
}

form.addEventListener("input", draw);
form.addEventListener("submit", (event) => event.preventDefault());
draw();
