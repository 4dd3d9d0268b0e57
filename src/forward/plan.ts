/** What leads from one desired state to another: a pure difference, which a datapath applies as one change. */
import type { DesiredState } from "./desired-state.ts";
import type { Forward } from "./forward.ts";

export interface Plan {
  readonly before: DesiredState;
  /** What holds when it has been applied. A datapath that does not know `before` lets itself be led by this alone. */
  readonly after: DesiredState;
  readonly added: readonly Forward[];
  readonly removed: readonly Forward[];
  readonly changed: readonly { readonly before: Forward; readonly after: Forward }[];
}

export function plan(before: DesiredState, after: DesiredState): Plan {
  const added: Forward[] = [];
  const removed: Forward[] = [];
  const changed: { before: Forward; after: Forward }[] = [];
  for (const forward of after.forwards.values()) {
    const other = before.forwards.get(forward.name);
    if (other === undefined) added.push(forward);
    else if (other !== forward && other.text !== forward.text) changed.push({ before: other, after: forward });
  }
  for (const forward of before.forwards.values()) if (!after.forwards.has(forward.name)) removed.push(forward);
  return { before, after, added, removed, changed };
}

export function isEmpty({ added, removed, changed }: Plan): boolean {
  return added.length + removed.length + changed.length === 0;
}

/** "3 added, 1 removed, 2 changed". */
export function describePlan(given: Plan): string {
  const { added, removed, changed } = given;
  if (isEmpty(given)) return "nothing to change";
  const parts = [
    [added.length, "added"],
    [removed.length, "removed"],
    [changed.length, "changed"],
  ] as const;
  return parts
    .filter(([count]) => count > 0)
    .map(([count, what]) => `${count} ${what}`)
    .join(", ");
}
