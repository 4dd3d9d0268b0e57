/** The fields of a form that make and change a channel. */
import { latencyModes, types } from "./channel-limits.ts";
import { build } from "./text.ts";

export interface Settings {
  readonly type: string;
  readonly latencyMode: string;
  readonly insecureIngest: boolean;
  readonly authorized: boolean;
}

export class SettingFields {
  readonly #type = choice(types);
  readonly #latency = choice(latencyModes);
  readonly #insecure = tick();
  readonly #private = tick();

  /** Put before `before` in its form. */
  constructor(before: Element) {
    before.before(
      labelled("Type", this.#type),
      labelled("Latency", this.#latency),
      labelled("Unencrypted ingest (RTMP, SRT without passphrase)", this.#insecure, "check"),
      labelled("Private: viewers need a token", this.#private, "check"),
    );
  }

  get value(): Settings {
    const { value: type } = this.#type;
    return { type, latencyMode: this.#latency.value, insecureIngest: this.#insecure.checked, authorized: this.#private.checked };
  }

  set value({ type, latencyMode, insecureIngest, authorized }: Settings) {
    this.#type.value = type;
    this.#latency.value = latencyMode;
    this.#insecure.checked = insecureIngest;
    this.#private.checked = authorized;
  }

  set disabled(disabled: boolean) {
    for (const field of [this.#type, this.#latency, this.#insecure, this.#private]) field.disabled = disabled;
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
