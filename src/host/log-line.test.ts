import assert from "node:assert/strict";
import { test } from "node:test";
import { readableLine } from "./log-line.ts";

test("a line reads as time, level, module, sentence, facts", () => {
  const json = '{"level":"warn","time":"2026-11-21T06:01:22.123Z","module":"live","peer":"[::1]:5","n":3,"msg":"encoder refused"}\n';
  assert.equal(readableLine(json, false), "06:01:22  warn   live  encoder refused  peer=[::1]:5 n=3\n");
});

test("what a peer sends cannot steer the terminal", () => {
  const json = JSON.stringify({ level: "info", time: "2026-11-21T06:01:22.123Z", msg: "key \x1b[2J", app: "\r\x07" });
  assert.equal(readableLine(json, false), "06:01:22  info   key ·[2J  app=··\n");
});

test("other lines pass as they are", () => {
  assert.equal(readableLine("plain\n", true), "plain\n");
});
