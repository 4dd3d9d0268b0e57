/** A button that asks once more before it does what cannot be taken back. */
import { build } from "./text.ts";

const PATIENCE_MS = 4000;

/** `what`: "the listener", "endpoint 10.0.0.5"; `short` is what stands on the button. */
export function removeButton(
  what: string,
  remove: () => Promise<unknown>,
  failed: (problem: unknown) => void,
  short = what.replace("the ", "Delete "),
): HTMLButtonElement {
  const button = build("button", "quiet remove", short);
  button.type = "button";
  button.setAttribute("aria-label", `delete ${what}`);
  let timer: ReturnType<typeof setTimeout> | undefined;
  const calm = (): void => {
    clearTimeout(timer);
    timer = undefined;
    button.textContent = short;
    delete button.dataset.sure;
  };
  button.addEventListener("click", (event) => {
    // In a summary it would fold as well.
    event.preventDefault();
    if (timer === undefined) {
      button.textContent = "Really delete?";
      button.dataset.sure = "";
      timer = setTimeout(calm, PATIENCE_MS);
      return;
    }
    calm();
    button.disabled = true;
    remove()
      .catch(failed)
      .finally(() => {
        button.disabled = false;
      });
  });
  return button;
}
