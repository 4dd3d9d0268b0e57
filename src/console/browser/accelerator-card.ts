/** One accelerator: its addresses, and when it is opened its listeners, their endpoint groups and endpoints, with dials and weights to turn. */
import type * as ga from "@aws-sdk/client-global-accelerator";
import { deleteAccelerator, groupForm, listenerForm } from "./accelerator-forms.ts";
import { showChildren } from "./children.ts";
import { call } from "./control-calls.ts";
import { GroupRow } from "./group-row.ts";
import { removeButton } from "./remove-button.ts";
import { build } from "./text.ts";

/** As JSON brings them: times are seconds. */
export type Accelerator = Pick<ga.Accelerator, "AcceleratorArn" | "Name" | "Enabled" | "Status" | "DnsName" | "IpSets">;

export interface CardOptions {
  /** Whether dials and weights may be turned, and endpoints come and go. */
  readonly changeable: boolean;
  /** Whether all the rest may be made and deleted. */
  readonly admin: boolean;
  /** Something was made or deleted: the page is to be looked at anew. */
  readonly changed: () => Promise<unknown>;
  readonly failed: (problem: unknown) => void;
}

export class AcceleratorCard {
  readonly root = document.createElement("details");
  readonly #arn: string;
  readonly #options: CardOptions;
  readonly #name = build("strong", "", "");
  readonly #status = build("span", "pill", "");
  readonly #places = build("span", "places", "");
  readonly #listeners = build("div", "listeners", "");
  readonly #groups = new Map<string, GroupRow>();

  constructor(arn: string, options: CardOptions) {
    this.#arn = arn;
    this.#options = options;
    this.root.className = "card fold accelerator";
    const summary = document.createElement("summary");
    summary.append(this.#name, this.#status, this.#places);
    this.root.append(summary, this.#listeners);
    if (options.admin) {
      const remove = async (): Promise<void> => {
        await deleteAccelerator(arn);
        await options.changed();
      };
      const foot = build("div", "foot", "");
      foot.append(listenerForm(arn, options.changed), removeButton("the accelerator", remove, options.failed));
      this.root.append(foot);
    }
    this.root.addEventListener("toggle", () => void this.refresh().catch(options.failed));
  }

  show({ Name, Enabled, Status, DnsName, IpSets }: Accelerator): void {
    this.#name.textContent = Name ?? "";
    const [text, kind] = Enabled
      ? [Status === "DEPLOYED" ? "deployed" : "in progress", Status === "DEPLOYED" ? "good" : "warn"]
      : ["disabled", "off"];
    this.#status.textContent = text;
    this.#status.dataset.kind = kind;
    this.#places.textContent = [...(IpSets ?? []).flatMap(({ IpAddresses = [] }) => IpAddresses), DnsName].join(" · ");
  }

  /** What is in it, if it is open. */
  async refresh(): Promise<void> {
    if (!this.root.open) return;
    const { Listeners = [] } = await call<ga.ListListenersCommandOutput>("ListListeners", { AcceleratorArn: this.#arn, MaxResults: 100 });
    const sections = await Promise.all(Listeners.map((listener) => this.#listener(listener)));
    if (sections.length === 0) sections.push(build("p", "none", "No listeners."));
    showChildren(this.#listeners, sections);
  }

  readonly #sections = new Map<string, HTMLElement>();

  async #listener(listener: ga.Listener): Promise<HTMLElement> {
    const arn = listener.ListenerArn!;
    const { EndpointGroups = [] } = await call<ga.ListEndpointGroupsCommandOutput>("ListEndpointGroups", {
      ListenerArn: arn,
      MaxResults: 100,
    });
    let section = this.#sections.get(arn);
    if (section === undefined) {
      section = build("section", "listener", "");
      section.append(build("h3", "", ""), build("div", "groups", ""));
      if (this.#options.admin) section.append(this.#foot(arn));
      this.#sections.set(arn, section);
    }
    const ports = (listener.PortRanges ?? []).map(({ FromPort, ToPort }) =>
      FromPort === ToPort ? `${FromPort}` : `${FromPort}–${ToPort}`,
    );
    const affinity = listener.ClientAffinity === "SOURCE_IP" ? " · by source" : "";
    section.firstElementChild!.textContent = `${listener.Protocol} ${ports.join(", ")}${affinity}`;
    const rows = EndpointGroups.map((group) => {
      const known = this.#groups.get(group.EndpointGroupArn!) ?? new GroupRow(group.EndpointGroupArn!, this.#options);
      this.#groups.set(group.EndpointGroupArn!, known);
      known.show(group);
      return known.root;
    });
    showChildren(section.children[1]!, rows);
    return section;
  }

  #foot(arn: string): HTMLElement {
    const { changed, failed } = this.#options;
    const remove = async (): Promise<void> => {
      await call<object>("DeleteListener", { ListenerArn: arn });
      await changed();
    };
    const foot = build("div", "foot", "");
    foot.append(groupForm(arn, changed), removeButton("the listener", remove, failed));
    return foot;
  }
}
