/** A line of text with a button that copies it. */
import { build } from "./text.ts";

export function copyable(label: string, text: string): HTMLElement {
  const row = build("div", "copyable", "");
  const button = build("button", "quiet", "Copy");
  button.type = "button";
  button.addEventListener("click", () => {
    navigator.clipboard.writeText(text).then(
      () => said(button, "Copied"),
      () => said(button, "Select it"),
    );
  });
  row.append(build("span", "label", label), build("code", "", text), button);
  return row;
}

function said(button: HTMLElement, text: string): void {
  button.textContent = text;
  setTimeout(() => {
    button.textContent = "Copy";
  }, 1500);
}
