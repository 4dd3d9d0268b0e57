/** An endpoint group: its region and dial, its endpoints with health and weight. */
import type * as ga from "@aws-sdk/client-global-accelerator";
import type { CardOptions } from "./accelerator-card.ts";
import { endpointForm } from "./accelerator-forms.ts";
import { showChildren } from "./children.ts";
import { call } from "./control-calls.ts";
import { NumberField } from "./number-field.ts";
import { removeButton } from "./remove-button.ts";
import { build } from "./text.ts";

const HEALTH: Readonly<Record<string, readonly [string, string]>> = {
  HEALTHY: ["good", "healthy"],
  UNHEALTHY: ["bad", "unhealthy"],
  INITIAL: ["off", "not checked yet"],
};

export class GroupRow {
  readonly root = build("div", "group", "");
  readonly #arn: string;
  readonly #options: CardOptions;
  readonly #region = build("b", "", "");
  readonly #check = build("small", "", "");
  readonly #dial: NumberField;
  readonly #endpoints = build("ul", "", "");
  readonly #rows = new Map<string, { readonly item: HTMLElement; readonly dot: HTMLElement; readonly weight: NumberField }>();

  constructor(arn: string, options: CardOptions) {
    this.#arn = arn;
    this.#options = options;
    const dial = { most: 100, unit: "%", enabled: options.changeable };
    const turn = (TrafficDialPercentage: number) => call<object>("UpdateEndpointGroup", { EndpointGroupArn: arn, TrafficDialPercentage });
    this.#dial = new NumberField("traffic dial", dial, async (value) => void (await turn(value)), options.failed);
    const head = build("div", "head", "");
    head.append(this.#region, this.#dial.root, this.#check);
    this.root.append(head, this.#endpoints);
    if (options.changeable) this.root.append(this.#foot());
  }

  show(group: ga.EndpointGroup): void {
    this.#region.textContent = group.EndpointGroupRegion ?? "";
    this.#dial.show(group.TrafficDialPercentage ?? 100);
    const { HealthCheckProtocol, HealthCheckPort, HealthCheckPath = "", HealthCheckIntervalSeconds, ThresholdCount } = group;
    this.#check.textContent = `${HealthCheckProtocol} ${HealthCheckPort}${HealthCheckPath} every ${HealthCheckIntervalSeconds} s, ${ThresholdCount} in turn`;
    const items = (group.EndpointDescriptions ?? []).map((endpoint) => this.#endpoint(endpoint));
    if (items.length === 0) items.push(build("li", "none", "No endpoints."));
    showChildren(this.#endpoints, items);
  }

  #foot(): HTMLElement {
    const { changed, failed, admin } = this.#options;
    const foot = build("div", "foot", "");
    foot.append(endpointForm(this.#arn, changed));
    const remove = async (): Promise<void> => {
      await call<object>("DeleteEndpointGroup", { EndpointGroupArn: this.#arn });
      await changed();
    };
    if (admin) foot.append(removeButton("the endpoint group", remove, failed));
    return foot;
  }

  #endpoint({ EndpointId, Weight, HealthState, ClientIPPreservationEnabled }: ga.EndpointDescription): HTMLElement {
    const id = EndpointId!;
    let row = this.#rows.get(id);
    if (row === undefined) {
      // One endpoint alone, so that what others change meanwhile stays.
      const weigh = async (weight: number): Promise<void> => {
        const EndpointConfigurations = [{ EndpointId: id, Weight: weight, ClientIPPreservationEnabled }];
        await call<object>("AddEndpoints", { EndpointGroupArn: this.#arn, EndpointConfigurations });
      };
      const options = { most: 255, unit: "weight", enabled: this.#options.changeable };
      const weight = new NumberField(`weight of ${id}`, options, weigh, this.#options.failed);
      const dot = build("span", "dot", "");
      const item = document.createElement("li");
      item.append(dot, build("span", "id", id), weight.root);
      if (this.#options.changeable) item.append(removeButton(`endpoint ${id}`, () => this.#remove(id), this.#options.failed, "Delete"));
      row = { item, dot, weight };
      this.#rows.set(id, row);
    }
    const [kind, text] = HEALTH[HealthState ?? "INITIAL"] ?? HEALTH.INITIAL!;
    row.dot.dataset.kind = kind;
    row.dot.title = text;
    row.dot.setAttribute("aria-label", text);
    row.dot.setAttribute("role", "img");
    row.weight.show(Weight ?? 128);
    return row.item;
  }

  async #remove(EndpointId: string): Promise<void> {
    await call<object>("RemoveEndpoints", { EndpointGroupArn: this.#arn, EndpointIdentifiers: [{ EndpointId }] });
    this.#rows.delete(EndpointId);
    await this.#options.changed();
  }
}
