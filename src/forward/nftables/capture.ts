/** Sampled packets out of the table: a chain for as long as somebody looks, whose rules log to a group that this process hears. */

import { cmp, type Expression, log, random, type Word } from "../../host/nf-tables/expression.ts";
import type { NfTables } from "../../host/nf-tables/nf-tables.ts";
import { Transaction } from "../../host/nf-tables/transaction.ts";
import { PacketLog } from "../../host/nflog.ts";
import type { Capture, CaptureOptions, PacketSink } from "../datapath.ts";
import type { Forward } from "../forward.ts";
import { isLabelled, originalPlace, renew, TABLE } from "./layout.ts";
import { addressOf, isUdp, portBytes, wordsOf } from "./place.ts";

/** Packets that the kernel gathers before it hands them over. */
const QUEUE_THRESHOLD = 32;

/** Groups of NFLOG that are tried in turn: any that nobody else listens to. */
const GROUP_FIRST = 19_200;
const GROUPS = 64;

/** Between the two translations: source and backend as they are. @throws HostError */
export async function captureByLog(
  options: CaptureOptions,
  forward: Forward | undefined,
  sink: PacketSink,
  kernel: NfTables,
): Promise<Capture> {
  const { log: packets, group } = open(options.bytesMax, sink);
  const chain = `capture_${group}`;
  const sampled = options.oneIn > 1 ? [random(0, options.oneIn), cmp(0, "eq", new Uint8Array(4))] : [];
  const transaction = new Transaction(TABLE);
  try {
    renew(transaction, chain, { type: "filter", at: "forward", priority: 10 });
    transaction.addRule(chain, [...placeMatch(forward), ...isLabelled(), ...sampled, log(group, options.bytesMax, QUEUE_THRESHOLD)]);
    kernel.commit(transaction);
  } catch (error) {
    packets.close();
    throw error;
  }
  return {
    get dropped() {
      return packets.overruns;
    },
    stop: async () => {
      packets.close();
      const removal = new Transaction(TABLE);
      removal.flushChain(chain);
      removal.deleteChain(chain);
      kernel.commit(removal);
    },
  };
}

function placeMatch(forward: Forward | undefined): readonly Expression[] {
  if (forward === undefined) return [];
  const { addresses, ports } = forward.listen;
  const { family } = addresses;
  return [
    ...[...isUdp(), ...originalPlace(family)],
    ...between(0, addressOf(family, addresses.first), addressOf(family, addresses.last)),
    ...between(wordsOf(family), portBytes(ports.first), portBytes(ports.last)),
  ];
}

function between(word: Word, first: Uint8Array, last: Uint8Array): readonly Expression[] {
  return [cmp(word, "gte", first), cmp(word, "lte", last)];
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
