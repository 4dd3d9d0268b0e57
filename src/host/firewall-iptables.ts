/**
 * The rule in iptables, as udp2raw puts it: a chain of our own that drops, and a jump to it as INPUT's first rule; both in one transaction.
 *
 *   -A INPUT PATTERN -j NAME        NAME: -j DROP
 *
 * Source: reference udp2raw.md section 6. Deviations: the names; the lock is always waited for.
 */
import type { FirewallBackend } from "./firewall.ts";
import { type FirewallPattern, iptablesWords } from "./firewall-pattern.ts";
import type { Step } from "./program.ts";

export const iptables: FirewallBackend = {
  name: "iptables",
  install: (pattern, name) => [
    { program: `${programOf(pattern)}-restore`, args: [`--wait=${LOCK_SECONDS}`, "--noflush"], input: iptablesScript(pattern, name) },
  ],
  remove: (pattern, name) => {
    const program = programOf(pattern);
    return [call(program, "-D", "INPUT", ...iptablesWords(pattern), "-j", name), call(program, "-F", name), call(program, "-X", name)];
  },
  list: (pattern) => call(programOf(pattern), "-S"),
  own: (listing, name) =>
    lines(listing)
      .filter((line) => line.split(" ").includes(name))
      .join("\n"),
  listAll: () => programs.map((program) => call(program, "-S")),
  removeAll: (listing, prefix, { program }) => {
    const chains = lines(listing).flatMap((line) => (line.startsWith(`-N ${prefix}`) ? [line.slice(3)] : []));
    return chains.flatMap((chain) => [
      ...lines(listing)
        .filter((line) => line.startsWith("-A INPUT ") && line.endsWith(` -j ${chain}`))
        .map((line) => call(program, "-D", ...line.split(" ").slice(1))),
      call(program, "-F", chain),
      call(program, "-X", chain),
    ]);
  },
};

export function iptablesScript(pattern: FirewallPattern, name: string): string {
  return `*filter
:${name} - [0:0]
-A ${name} -j DROP
-I INPUT 1 ${iptablesWords(pattern).join(" ")} -j ${name}
COMMIT
`;
}

/** What `-g` prints, for a user to put where it belongs. */
export function iptablesCommand(pattern: FirewallPattern): string {
  return `${programOf(pattern)} -I INPUT ${iptablesWords(pattern).join(" ")} -j DROP`;
}

function programOf({ version }: FirewallPattern): string {
  return programs[version === 4 ? 0 : 1];
}

function call(program: string, ...args: readonly string[]): Step {
  return { program, args: ["-w", String(LOCK_SECONDS), ...args] };
}

function lines(text: string): string[] {
  return text.split("\n").map((line) => line.trimEnd());
}

const programs = ["iptables", "ip6tables"] as const;
const LOCK_SECONDS = 5;
