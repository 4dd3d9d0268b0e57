import assert from "node:assert/strict";
import { test } from "node:test";
import { ConfigError } from "../base/errors.ts";
import { chooseIo } from "./choose.ts";

test("the option wins over the environment, and both over what works best", () => {
  assert.deepEqual(chooseIo("node", "epoll"), { kind: "node", reason: "option io says so" });
  assert.deepEqual(chooseIo("auto", "node"), { kind: "node", reason: "LONGHAUL_IO says so" });
  const best = chooseIo("auto", "");
  assert.equal(chooseIo("auto", "auto").kind, best.kind);
  if (best.kind === "epoll") assert.equal(chooseIo("epoll", "node").kind, "epoll");
  else assert.throws(() => chooseIo("epoll", ""), ConfigError);
});

test("an unknown word in the environment is refused by name", () => {
  assert.throws(
    () => chooseIo("auto", "uring"),
    (error) => error instanceof ConfigError && error.key === "LONGHAUL_IO" && error.message.includes("uring"),
  );
});
