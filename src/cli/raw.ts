/** `longhaul raw`: udp2raw's command line. What exists so far: explaining a configuration; carrying is refused. */
import { ConfigError } from "../base/errors.ts";
import type { Command } from "./command.ts";
import { explainRaw } from "./raw-explain.ts";
import { rawConfig } from "./raw-options.ts";
import { parseRaw, type RawRequest } from "./raw-settings.ts";

export const raw: Command = {
  name: "raw",
  summary: "UDP dressed as TCP, ICMP or plain UDP (udp2raw's options): explains a configuration; does not carry yet",
  text: `Takes udp2raw's options and files. "longhaul raw explain" and options print what goes on the wire and what fits inside.
This version does not carry traffic yet. The password may stand in a file (--key-file) or in LONGHAUL_RAW_KEY, where no other user sees it.`,
  examples: [
    "longhaul raw explain -c -l 127.0.0.1:3333 -r 192.0.2.1:4096 --raw-mode faketcp --cipher-mode aes128cbc --auth-mode hmac_sha1",
  ],
  schema: rawConfig,
  parse: parseRaw,
  run: runRaw,
};

async function runRaw(request: RawRequest): Promise<number> {
  if (request.action !== "explain")
    throw new ConfigError("raw", "longhaul raw: this version does not have this yet; give explain before the options");
  process.stdout.write(explainRaw(request.settings));
  return 0;
}
