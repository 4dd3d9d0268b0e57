/** Sampled packets out of the table: a chain for as long as somebody looks, whose rules log to a group that this process hears. */

import { PacketLog } from "../../host/nflog.ts";
import { nftScript } from "../../host/nft.ts";
import type { Run } from "../../host/program.ts";
import type { Capture, CaptureOptions, PacketSink } from "../datapath.ts";
import type { Forward } from "../forward.ts";
import { formatIpRange } from "../ip-range.ts";
import { formatPorts } from "../listen.ts";
import { LABEL, TABLE } from "./layout.ts";

/** Groups of NFLOG that are tried in turn: any that nobody else listens to. */
const GROUP_FIRST = 19_200;
const GROUPS = 64;

/** Between the two translations: source and backend as they are. @throws HostError */
export async function captureByLog(
  options: CaptureOptions,
  forward: Forward | undefined,
  sink: PacketSink,
  run: Run | undefined,
): Promise<Capture> {
  const { log, group } = open(options.bytesMax, sink);
  const chain = `capture_${group}`;
  const sample = options.oneIn > 1 ? `numgen random mod ${options.oneIn} 0 ` : "";
  const rule = `${placeMatch(forward)}ct label ${LABEL} ${sample}log group ${group} snaplen ${options.bytesMax} queue-threshold 32`;
  try {
    await nftScript(
      `add chain ${TABLE} ${chain} { type filter hook forward priority 10; }\nflush chain ${TABLE} ${chain}\nadd rule ${TABLE} ${chain} ${rule}\n`,
      run,
    );
  } catch (error) {
    log.close();
    throw error;
  }
  return {
    get dropped() {
      return log.overruns;
    },
    stop: async () => {
      log.close();
      await nftScript(`flush chain ${TABLE} ${chain}\ndelete chain ${TABLE} ${chain}\n`, run);
    },
  };
}

function placeMatch(forward: Forward | undefined): string {
  if (forward === undefined) return "";
  const { addresses, ports } = forward.listen;
  const ip = addresses.family === 4 ? "ip" : "ip6";
  return `meta l4proto udp ct original ${ip} daddr ${formatIpRange(addresses)} ct original proto-dst ${formatPorts(ports)} `;
}

function open(bytesMax: number, sink: PacketSink): { log: PacketLog; group: number } {
  for (let group = GROUP_FIRST; ; group++) {
    try {
      const log = new PacketLog(group, bytesMax, (packet) => sink(packet, Date.now() / 1000, lengthOf(packet)));
      return { log, group };
    } catch (error) {
      if (group === GROUP_FIRST + GROUPS) throw error;
    }
  }
}

/** As the IP header says: the packet may have been cut. */
function lengthOf(packet: Uint8Array): number {
  const four = packet[0]! >> 4 === 4;
  const at = four ? 2 : 4;
  return ((packet[at]! << 8) | packet[at + 1]!) + (four ? 0 : 40);
}
