/** Puts these into an element, unless they are what is in it: what is on the page already stays where it is, as somebody may be typing in it. */
export function showChildren(into: Element, wanted: readonly Element[]): void {
  if (wanted.length !== into.children.length || wanted.some((child, i) => into.children[i] !== child)) into.replaceChildren(...wanted);
}
