/** `longhaul raw`: one end of a udp2raw connection, with udp2raw's options. */
import type { Command } from "./command.ts";
import { carryRaw } from "./raw-carry.ts";
import { explainRaw } from "./raw-explain.ts";
import { rawConfig } from "./raw-options.ts";
import { addRule, clearRules, firewallPattern, ruleText, withRemoteAddress } from "./raw-rule.ts";
import { parseRaw, type RawRequest } from "./raw-settings.ts";

export const raw: Command = {
  name: "raw",
  text: `Carries UDP inside packets that look like TCP, ICMP or UDP, to and from a "longhaul raw" or a udp2raw, with udp2raw's options and files.
Needs the capability CAP_NET_RAW, and CAP_NET_ADMIN for the firewall's rule (-a). "longhaul raw explain" and the same options print what goes on
the wire and what fits inside. The password may stand in a file (--key-file) or in LONGHAUL_RAW_KEY, where no other user sees it.`,
  examples: [
    "longhaul raw -s -l 0.0.0.0:4096 -r 127.0.0.1:29900 --key-file KEY --auth-mode hmac_sha1 -a",
    "longhaul raw -c -l 127.0.0.1:3333 -r far.example:4096 --key-file KEY --auth-mode hmac_sha1 -a",
    "longhaul raw -s -l 0.0.0.0:4096 -r 127.0.0.1:29900 --key-file KEY -a --next -l 0.0.0.0:4097 -r 192.0.2.7:51820",
    "longhaul raw explain -c -l 127.0.0.1:3333 -r 192.0.2.1:4096 --cipher-mode xor --auth-mode simple",
  ],
  schema: rawConfig,
  parse: parseRaw,
  run: runRaw,
};

async function runRaw(request: RawRequest): Promise<number> {
  if (request.action === "clear") {
    await clearRules();
    return 0;
  }
  if (request.action === "explain") {
    process.stdout.write(request.ends.map(explainRaw).join("\n"));
    return 0;
  }
  if (request.action === "carry") return carryRaw(request.ends, request.process);
  for (const end of request.ends) {
    const pattern = firewallPattern(await withRemoteAddress(end));
    if (request.action === "addRule") await addRule(pattern);
    else process.stdout.write(ruleText(pattern));
  }
  return 0;
}
