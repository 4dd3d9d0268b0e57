/** Delay and cost of messages over KCP by loss, round trip and mode, as a table in Markdown. */
import { exchangeMessages, modes, quantile } from "./messages.ts";

const LOSSES = ["0%", "2%", "10%", "ge=10%:5"] as const;
const ROUND_TRIPS = [20, 100, 300] as const;
const MODES = ["normal", "fast", "fast3"] as const;

export function kcpTable(seed: number): { text: string; counted: unknown } {
  const counted: unknown[] = [];
  let text = "# Messages of 14 to 200 bytes, 50 a second, over KCP\n\n";
  text += `500 messages, profile 2026, no FEC, seed ${seed}. Delay in ms from \`send\` to \`read\`; cost is KCP bytes sent for a byte of payload.\n\n`;
  text += "| loss each way | round trip ms | mode | p50 | p95 | max | cost |\n|---|---|---|---|---|---|---|\n";
  for (const loss of LOSSES) {
    for (const roundTrip of ROUND_TRIPS) {
      for (const mode of MODES) {
        const link = `delay=${roundTrip / 2} ${loss.includes("=") ? loss : `loss=${loss}`}`;
        const { delays, cost, sender } = exchangeMessages(
          { link, kcp: modes[mode], messages: 500, period: 20, bytesMax: 200, within: 120_000 },
          seed,
        );
        const [p50, p95, max] = [0.5, 0.95, 1].map((q) => Math.round(quantile(delays, q)));
        text += `| ${loss} | ${roundTrip} | ${mode} | ${p50} | ${p95} | ${max} | ${cost.toFixed(2)} |\n`;
        counted.push({ loss, roundTrip, mode, p50, p95, max, ...sender.stats });
      }
    }
  }
  return { text, counted };
}
