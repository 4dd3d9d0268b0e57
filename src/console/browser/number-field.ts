/** A number that is changed where it stands: sent when it is left or Enter is pressed, put back when it is refused. */
import { build } from "./text.ts";

export class NumberField {
  readonly root: HTMLElement;
  readonly #input: HTMLInputElement;
  #known = Number.NaN;

  /** `send` tells the server; what it throws is shown by `failed`. */
  constructor(
    label: string,
    { most, unit, enabled }: { readonly most: number; readonly unit: string; readonly enabled: boolean },
    send: (value: number) => Promise<void>,
    failed: (problem: unknown) => void,
  ) {
    this.#input = document.createElement("input");
    Object.assign(this.#input, { type: "number", min: "0", max: String(most), step: "any", disabled: !enabled });
    this.#input.setAttribute("aria-label", label);
    this.root = build("span", "number", "");
    this.root.append(this.#input, build("span", "unit", unit));
    this.#input.addEventListener("keydown", (event) => {
      if (event.key === "Enter") this.#input.blur();
      if (event.key === "Escape") this.#input.value = String(this.#known);
    });
    this.#input.addEventListener("change", () => {
      const value = this.#input.valueAsNumber;
      const before = this.#known;
      if (Number.isNaN(value) || value === before) {
        this.#input.value = String(before);
        return;
      }
      this.#known = value;
      this.root.dataset.sending = "";
      send(value)
        .catch((problem: unknown) => {
          this.#known = before;
          this.#input.value = String(before);
          failed(problem);
        })
        .finally(() => delete this.root.dataset.sending);
    });
  }

  /** What the server has; not while somebody types, or a change is under way. */
  show(value: number): void {
    if (document.activeElement === this.#input || this.root.dataset.sending !== undefined || value === this.#known) return;
    this.#known = value;
    this.#input.value = String(value);
  }
}
