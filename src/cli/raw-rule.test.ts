import assert from "node:assert/strict";
import { test } from "node:test";
import { firewallPattern, ruleText } from "./raw-rule.ts";
import { parseRaw } from "./raw-settings.ts";

function pattern(...argv: string[]) {
  const request = parseRaw({ argv: [...argv, "-g"], env: {} });
  return request.action === "printRule" ? firewallPattern(request.settings) : assert.fail(request.action);
}

test("the rule follows from the settings: at the client the server's address, at the server the own one unless it is all", () => {
  assert.deepEqual(pattern("-c", "-l", "[::1]:3333", "-r", "192.0.2.1:4096", "--raw-mode", "icmp"), {
    ...{ version: 4, role: "client", mode: "icmp", address: "192.0.2.1", port: 4096 },
  });
  assert.deepEqual(pattern("-s", "-l", "[2001:db8::1]:4096", "-r", "127.0.0.1:5000"), {
    ...{ version: 6, role: "server", mode: "faketcp", address: "2001:db8::1", port: 4096 },
  });
  assert.equal(pattern("-s", "-l", "[::]:4096", "-r", "127.0.0.1:5000").address, undefined);
  assert.equal(pattern("-s", "-l", "[::]:4096", "-r", "127.0.0.1:5000").version, 6);
});

test("-g prints udp2raw's two lines first", () => {
  const text = ruleText(pattern("-s", "-l", "0.0.0.0:4096", "-r", "127.0.0.1:5000"));
  assert.deepEqual(text.split("\n").slice(0, 2), ["generated iptables rule:", "iptables -I INPUT -p tcp -m tcp --dport 4096 -j DROP"]);
  assert.match(text, /meta nfproto ipv4 tcp dport 4096 drop/);
});
