/** The real programs: a server is found, shown and gone again; the terminal, a real one made by script(1), is as it was afterwards. */
import assert from "node:assert/strict";
import { execFile, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { promisify } from "node:util";
import { statusSchema } from "../metrics/status.ts";

const longhaul = join(import.meta.dirname, "../../bin/longhaul");
const hasScript = process.platform === "linux" && spawnSync("script", ["--version"]).status === 0;

interface Ended {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

test("longhaul top finds a server of this user, in every manner, and says so when there is none", async (t) => {
  const folder = mkdtempSync(join(tmpdir(), "longhaul-top-"));
  const env = { ...process.env, XDG_RUNTIME_DIR: folder, LANG: "C.UTF-8", LC_ALL: "C.UTF-8", TERM: "xterm", NO_COLOR: "" };
  const top = async (of: NodeJS.ProcessEnv, ...argv: string[]): Promise<Ended> => {
    const run = promisify(execFile)(longhaul, ["top", ...argv], { env: of, timeout: 30_000 });
    return run.then(
      ({ stdout, stderr }) => ({ code: 0, stdout, stderr }),
      (error: Ended) => error,
    );
  };
  const metrics = join(folder, "metrics.sock");
  const server = spawn(longhaul, ["server", "-l", "127.0.0.1:0", "--key", "top", "--metrics", metrics], { env, stdio: "ignore" });
  t.after(() => {
    server.kill("SIGKILL");
    rmSync(folder, { recursive: true });
  });
  const socket = join(folder, "longhaul", `server-${server.pid}.sock`);
  for (let i = 0; i < 600 && !existsSync(socket); i++) await sleep(50);
  const [json, table, none, screen] = await Promise.all([
    top(env, "--json", metrics),
    top(env, "--once"),
    top({ ...env, XDG_RUNTIME_DIR: join(folder, "empty") }),
    hasScript ? inTerminal(env) : undefined,
  ]);
  const [told] = JSON.parse(json.stdout) as { status: unknown }[];
  const status = statusSchema.parse(told!.status);
  assert.deepEqual([status.pid, status.role, status.at], [server.pid, "server", "127.0.0.1:0"]);
  assert.match(table.stdout, new RegExp(`^ROLE +PID .*\\nserver +${server.pid} +127\\.0\\.0\\.1:0 `));
  if (screen !== undefined) {
    const [, shown = "", after = ""] = screen.split("\x1b[?1049").map((part) => part.slice(1));
    assert.ok(shown.includes("longhaul top") && shown.includes(`${server.pid}`), JSON.stringify(shown));
    assert.ok(shown.includes("\x1b[?25l") && shown.endsWith("\x1b[?25h"), "the cursor is shown again before the screen is left");
    assert.match(after, /status 0/);
    assert.doesNotMatch(after, /-icanon|-echo\b/, "no longer raw");
  }
  server.kill("SIGTERM");
  await once(server, "exit");
  assert.deepEqual([existsSync(socket), existsSync(metrics)], [false, false]);
  assert.deepEqual([none.code, none.stdout], [1, ""]);
  assert.match(none.stderr, /^longhaul top: no tunnel of this user runs here/);
  assert.deepEqual(readdirSync(join(folder, "longhaul")), []);
});

/** All that the live view writes until q is pressed, and what the terminal is like then. */
async function inTerminal(env: NodeJS.ProcessEnv): Promise<string> {
  const child = spawn("script", ["-qec", `${longhaul} top; echo status $?; stty -a`, "/dev/null"], {
    env,
    stdio: ["pipe", "pipe", "inherit"],
    timeout: 30_000,
  });
  let text = "";
  child.stdout.setEncoding("utf8").on("data", (piece: string) => {
    text += piece;
    if (text.includes("SESS") && !child.stdin.writableEnded) child.stdin.end("q");
  });
  await once(child, "exit");
  return text;
}
