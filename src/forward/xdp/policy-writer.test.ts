import assert from "node:assert/strict";
import { test } from "node:test";
import { HostError } from "../../base/errors.ts";
import type { BpfObject } from "../../host/bpf/bpf-object.ts";
import { parseForward } from "../forward.ts";
import { PolicyWriter } from "./policy-writer.ts";

/** Tables in memory of this process. */
function writer(entries: Readonly<Record<string, number>>): PolicyWriter {
  const map = (name: string) => ({ shape: { entries: entries[name]! }, memory: () => new Uint8Array(64 * 1024) });
  return new PolicyWriter({ map } as unknown as BpfObject, () => undefined);
}

test("where the table of source addresses is full nothing is taken, whether there is one backend or more", () => {
  const of = writer({ policies: 16, choices: 64, backends: 64, sources: 4 });
  const before = of.policies.free;
  for (const backends of [["10.0.0.2:6000"], ["10.0.0.2:6000", "10.0.0.3:6000"]]) {
    const source = ["192.0.2.0/28"];
    const forward = parseForward({ name: "wide", listen: "10.0.0.1:5000", to: backends, source }, "forward");
    assert.throws(() => of.write(forward, 0), HostError);
    of.rest();
    of.rest();
    assert.equal(of.policies.free, before);
  }
});
