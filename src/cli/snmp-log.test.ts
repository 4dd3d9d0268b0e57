import assert from "node:assert/strict";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { silentLog } from "../host/log.ts";
import { formatGoTime } from "./go-time.ts";
import { SnmpLog } from "./snmp-log.ts";

test("Go's layouts in file names", () => {
  const at = new Date(2026, 1, 3, 16, 5, 9);
  assert.equal(formatGoTime("snmp-20060102.csv", at), "snmp-20260203.csv");
  assert.equal(formatGoTime("2006-Jan-_2 15h04m05", at), "2026-Feb- 3 16h05m09");
  assert.equal(formatGoTime("Monday January 2 3pm 06", at), "Tuesday February 3 4pm 26");
  assert.equal(formatGoTime("Month.log", at), "Month.log");
});

test("rows in the generation's columns, one header a file, another file another day, folders as they are", () => {
  const folder = mkdtempSync(join(tmpdir(), "longhaul-snmp-2006-"));
  const log = new SnmpLog(join(folder, "c-0102.csv"), "2021", silentLog);
  log.write(new Date(2026, 10, 21, 1, 2, 3), { BytesSent: 7, FECRecovered: 3 });
  log.write(new Date(2026, 10, 21, 1, 3, 3), { BytesSent: 8 });
  log.write(new Date(2026, 10, 22, 1, 3, 3), { BytesSent: 9 });
  const rows = readFileSync(join(folder, "c-1121.csv"), "utf8").trimEnd().split("\n");
  const other = readFileSync(join(folder, "c-1122.csv"), "utf8").trimEnd().split("\n");
  rmSync(folder, { recursive: true });
  assert.equal(rows.length, 3);
  assert.ok(rows[0]!.startsWith("Unix,BytesSent,BytesReceived,MaxConn,ActiveOpens,") && rows[0]!.endsWith(",FECRecovered,FECShortShards"));
  const cells = rows[1]!.split(",");
  assert.equal(cells.length, rows[0]!.split(",").length);
  assert.deepEqual([cells[0], cells[1], cells.at(-2)], [String(new Date(2026, 10, 21, 1, 2, 3).getTime() / 1000), "7", "3"]);
  assert.deepEqual([other.length, other[1]!.split(",")[1]], [2, "9"]);
});

test("a folder that is not there is counted, not thrown", () => {
  const log = new SnmpLog("/nowhere/at/all.csv", "2026", silentLog);
  log.write(new Date(), {});
  assert.equal(log.failed, 1);
});
