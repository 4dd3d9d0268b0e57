/** The package's programs, from an empty project's node_modules/.bin. */
import assert from "node:assert/strict";
import { execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { freePorts } from "./free-ports.ts";

/** `path`: the folder of the Node they are to find. */
export async function programsRun(project: string, path: string): Promise<void> {
  const bin = (name: string): string => join(project, "node_modules", ".bin", name);
  const env = { ...process.env, PATH: `${path}:/usr/bin:/bin` };
  const run = (name: string, ...argv: string[]): string => execFileSync(bin(name), argv, { env, encoding: "utf8", timeout: 20_000 });
  assert.match(run("longhaul", "version"), /^longhaul \d+\.\d+\.\d+\n$/);
  assert.match(run("kcptun-client", "--version"), /^kcptun version longhaul-/);
  assert.match(run("kcptun-server", "--help"), /kcptun-server/);
  await upRuns(bin("longhaul"), env);
}

/** `up` needs all of it: worker threads, the tunnel, the demo's clip, the page. */
async function upRuns(longhaul: string, env: NodeJS.ProcessEnv): Promise<void> {
  const [port] = await freePorts(1);
  const argv = ["up", "--http", "127.0.0.1:0", "--rtmp", "127.0.0.1:0", "--listen", `127.0.0.1:${port}`];
  const up = spawn(longhaul, argv, { env, stdio: ["ignore", "pipe", "inherit"] });
  const ended = once(up, "exit");
  try {
    let said = "";
    up.stdout.setEncoding("utf8").on("data", (text: string) => (said += text));
    while (!/http:\/\/localhost:\d+\//.test(said)) {
      await Promise.race([once(up.stdout, "data"), ended]);
      assert.equal(up.exitCode, null, "up has ended");
    }
    const url = /http:\/\/localhost:\d+/.exec(said)![0].replace("localhost", "127.0.0.1");
    const page = await (await fetch(url)).text();
    const script = /src="([^"]+)"/.exec(page)![1]!;
    const code = await fetch(url + script);
    assert.equal(code.headers.get("content-type"), "text/javascript; charset=utf-8");
    assert.doesNotMatch(await code.text(), /\.ts"/, "the page's modules were compiled");
    await playing(`${url}/live/tunnel/media.m3u8`);
  } finally {
    up.kill();
    await ended;
  }
}

/** The demo's stream has come through the tunnel and been cut into parts. */
async function playing(url: string): Promise<void> {
  for (let tries = 0; tries < 100; tries++) {
    if ((await (await fetch(url)).text()).includes("#EXT-X-PART:")) return;
    await new Promise((later) => setTimeout(later, 100));
  }
  assert.fail(`nothing plays at ${url}`);
}
