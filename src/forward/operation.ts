/** What somebody wants changed: forwards put in or replaced, taken out, or all of them as given. A pure step from one desired state to the next. */
import { ConfigError } from "../base/errors.ts";
import { type DesiredState, desiredState } from "./desired-state.ts";
import { entryOf, type Forward, parseForward } from "./forward.ts";

export type Operation =
  /** `replace`: one of the same name may be there. */
  | { readonly kind: "add"; readonly forwards: readonly Forward[]; readonly replace: boolean }
  | { readonly kind: "remove"; readonly names: readonly string[] }
  | { readonly kind: "drain"; readonly names: readonly string[]; readonly draining: boolean }
  | { readonly kind: "apply"; readonly forwards: readonly Forward[] };

/** @throws ConfigError when it cannot be, and nothing is changed */
export function operate(state: DesiredState, operation: Operation): DesiredState {
  const revision = state.revision + 1;
  if (operation.kind === "apply") return desiredState(revision, operation.forwards);
  const forwards = new Map(state.forwards);
  if (operation.kind === "add") {
    for (const forward of operation.forwards) {
      if (!operation.replace && forwards.has(forward.name))
        throw new ConfigError("name", `"${forward.name}" is there already; give another name, or --replace true`);
      forwards.set(forward.name, forward);
    }
    return desiredState(revision, forwards.values());
  }
  for (const name of operation.names) {
    const forward = forwards.get(name);
    if (forward === undefined) throw new ConfigError("name", `no forward is called "${name}"${similar(name, forwards)}`);
    if (operation.kind === "remove") forwards.delete(name);
    else forwards.set(name, parseForward({ ...entryOf(forward), draining: operation.draining }, name));
  }
  return desiredState(revision, forwards.values());
}

/** An operation as one process tells it another. */
export function operationText(operation: Operation): string {
  return JSON.stringify("forwards" in operation ? { ...operation, forwards: operation.forwards.map(entryOf) } : operation);
}

/** @throws ConfigError */
export function parseOperation(text: string): Operation {
  const given = JSON.parse(text) as Omit<Operation, "forwards"> & { readonly forwards?: readonly unknown[] };
  const forwards = (given.forwards ?? []).map((entry, i) => parseForward(entry, `forwards[${i}]`));
  return { ...given, ...("forwards" in given ? { forwards } : {}) } as Operation;
}

function similar(name: string, forwards: ReadonlyMap<string, unknown>): string {
  const close = [...forwards.keys()].filter((known) => known.startsWith(name) || name.startsWith(known)).slice(0, 3);
  return close.length === 0
    ? '; "longhaul forward list" shows which there are'
    : `; there is ${close.map((known) => `"${known}"`).join(", ")}`;
}
