import assert from "node:assert/strict";
import { test } from "node:test";
import { readKeys } from "./terminal-keys.ts";

test("letters, controls, arrows in both modes, pages, escape; unknown sequences are left out", () => {
  assert.deepEqual(readKeys("aQ?é"), ["a", "Q", "?", "é"]);
  assert.deepEqual(readKeys("\r\t\x7f\x03 "), ["enter", "tab", "backspace", "ctrl-c", " "]);
  assert.deepEqual(readKeys("\x1b[A\x1bOB\x1b[C\x1bOD\x1b[H\x1b[F\x1b[1~\x1b[4~\x1b[5~\x1b[6~"), [
    ...["up", "down", "right", "left", "home", "end", "home", "end", "pageup", "pagedown"],
  ]);
  assert.deepEqual(readKeys("\x1b"), ["escape"]);
  assert.deepEqual(readKeys("\x1b[1;5Aq\x1b[200~\x1b[Iq"), ["up", "q", "q"]);
});
