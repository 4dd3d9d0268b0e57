/** The fields of a form that make and change a channel. */
import type * as ivs from "@aws-sdk/client-ivs";
import { latencyModes, multitrackPolicies, types } from "./channel-limits.ts";
import { build } from "./text.ts";

export interface Settings {
  readonly type: string;
  readonly latencyMode: string;
  readonly insecureIngest: boolean;
  readonly authorized: boolean;
  readonly multitrackInputConfiguration: Pick<ivs.MultitrackInputConfiguration, "enabled" | "policy" | "maximumResolution">;
  /** Left as it is where it does not matter. */
  readonly containerFormat?: "FRAGMENTED_MP4";
}

export class SettingFields {
  readonly #type = choice(types);
  readonly #latency = choice(latencyModes);
  readonly #insecure = tick();
  readonly #private = tick();
  readonly #multitrack = choice(multitrackPolicies);
  /** As it was set, perhaps by the API. */
  #maximumResolution: Settings["multitrackInputConfiguration"]["maximumResolution"] = "FULL_HD";
  #disabled = false;

  /** Put before `before` in its form. */
  constructor(before: Element) {
    before.before(
      labelled("Type", this.#type),
      labelled("Multitrack video", this.#multitrack),
      labelled("Latency", this.#latency),
      labelled("Unencrypted ingest (RTMP, SRT without passphrase)", this.#insecure, "check"),
      labelled("Private: viewers need a token", this.#private, "check"),
    );
    this.#type.addEventListener("change", () => this.#enable());
    this.#enable();
  }

  get value(): Settings {
    const { value: type } = this.#type;
    const policy = this.#multitrack.value as "OFF" | ivs.MultitrackPolicy;
    const rest = { type, latencyMode: this.#latency.value, insecureIngest: this.#insecure.checked, authorized: this.#private.checked };
    if (type !== "STANDARD" || policy === "OFF") return { ...rest, multitrackInputConfiguration: { enabled: false } };
    const multitrackInputConfiguration = { enabled: true, policy, maximumResolution: this.#maximumResolution };
    return { ...rest, containerFormat: "FRAGMENTED_MP4", multitrackInputConfiguration };
  }

  set value({ type, latencyMode, insecureIngest, authorized, multitrackInputConfiguration }: Settings) {
    const { enabled, policy, maximumResolution } = multitrackInputConfiguration;
    this.#type.value = type;
    this.#latency.value = latencyMode;
    this.#insecure.checked = insecureIngest;
    this.#private.checked = authorized;
    this.#multitrack.value = enabled === true ? (policy ?? "ALLOW") : "OFF";
    this.#maximumResolution = maximumResolution ?? "FULL_HD";
    this.#enable();
  }

  set disabled(disabled: boolean) {
    this.#disabled = disabled;
    for (const field of [this.#type, this.#latency, this.#insecure, this.#private]) field.disabled = disabled;
    this.#enable();
  }

  /** Other types have no multitrack video. */
  #enable(): void {
    this.#multitrack.disabled = this.#disabled || this.#type.value !== "STANDARD";
  }
}

function choice(options: readonly (readonly [value: string, text: string])[]): HTMLSelectElement {
  const select = document.createElement("select");
  for (const [value, text] of options) {
    const option = build("option", "", `${value}: ${text}`);
    option.value = value;
    select.append(option);
  }
  return select;
}

function tick(): HTMLInputElement {
  const input = document.createElement("input");
  input.type = "checkbox";
  return input;
}

function labelled(text: string, field: HTMLElement, kind = ""): HTMLElement {
  const label = build("label", kind, "");
  label.append(...(kind === "check" ? [field, build("span", "", text)] : [build("span", "", text), field]));
  return label;
}
