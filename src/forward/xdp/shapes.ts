/** How large the program's tables are, and the object opened with them: the one place that knows which map is what. */
import type { Bpf } from "../../host/bpf/bpf.ts";
import type { BpfMap, MapShape } from "../../host/bpf/bpf-map.ts";
import { BpfObject } from "../../host/bpf/bpf-object.ts";
import type { BpfProgram } from "../../host/bpf/bpf-program.ts";
import { PROBES, REASONS_ROOM } from "./layout.ts";

export interface XdpLimits {
  /** Default 65,536; less than 2^24. Costs some 350 bytes and 32 for each processor. */
  readonly forwardsMax: number;
  /**
   * Flows of each family, default 262,144, for which there are three and a half places each (of 64 bytes for IPv4, 128 for IPv6), one and a half of them to be free. What finds no
   * place is refused and counted: those that run are kept.
   */
  readonly flowsMax: number;
  /** Places of all tables of consistent hashing, default 1,048,576. */
  readonly choicesMax: number;
  /** Source addresses towards backends, default 4,096. */
  readonly sourcesMax: number;
  /** Prefixes that allow or deny, default 262,144. */
  readonly accessMax: number;
  /** Prefixes of listeners that are ranges, default 262,144. */
  readonly rangesMax: number;
  /** Source addresses whose limits are remembered, default 65,536; the one not seen for longest is forgotten first. */
  readonly clientsMax: number;
}

export const XDP_LIMITS: XdpLimits = {
  ...{ forwardsMax: 65_536, flowsMax: 262_144, choicesMax: 1_048_576, sourcesMax: 4096 },
  ...{ accessMax: 262_144, rangesMax: 262_144, clientsMax: 65_536 },
};

/** `cpus`: processors that may exist. `map`: those to be used instead of new ones. @throws HostError */
export function openObject(
  bpf: Bpf,
  file: Uint8Array,
  limits: XdpLimits,
  cpus: number,
  map?: (shape: MapShape) => BpfMap | undefined,
): BpfObject {
  const { forwardsMax } = limits;
  const homes = flowHomes(limits.flowsMax);
  const places = homes + PROBES;
  const listening = powerOfTwo(forwardsMax * 2);
  return new BpfObject(bpf, file, {
    constants: { forwards_max: forwardsMax, listening_mask: listening - 1, flows4_homes: homes, flows6_homes: homes },
    entries: {
      ...{ listening, forwards: forwardsMax, titles: forwardsMax, arrivals: forwardsMax, counts: forwardsMax * cpus },
      // Twice, since what comes is there before what was goes. A policy with one backend has places of its own for it and the choice.
      ...{
        policies: forwardsMax * 2,
        backends: forwardsMax * 2 + SHARED_BACKENDS,
        choices: forwardsMax * 2 + limits.choicesMax,
        sources: limits.sourcesMax,
      },
      ...{ places: limits.rangesMax, ranges: limits.rangesMax, access: limits.accessMax },
      ...{ flows4: places, flows6: places, clients: limits.clientsMax },
      ...{
        programs: PROGRAMS.length,
        reasons: REASONS_ROOM * cpus,
        devices: DEVICES_MAX,
        interfaces: DEVICES_MAX * 2,
        fragments: FRAGMENTS_MAX,
        events: EVENT_BYTES,
      },
    },
    ...(map === undefined ? {} : { map }),
  });
}

/** Loads all programs of the object, each where the others find it; answers the one that is attached. @throws HostError */
export function loadPrograms(object: BpfObject): BpfProgram {
  const table = object.map("programs");
  const programs = PROGRAMS.map((section) => object.load(section));
  const value = Buffer.alloc(4);
  for (const [index, { fd }] of programs.entries()) {
    const key = Buffer.alloc(4);
    key.writeUInt32LE(index);
    value.writeUInt32LE(fd);
    table.update(key, value);
  }
  // The table holds them.
  for (const program of programs.slice(1)) program.close();
  return programs[0]!;
}

/** Places of a flow table where chains begin, for so many flows. */
export function flowHomes(flowsMax: number): number {
  return Math.max(PLACES_MIN, Math.ceil(flowsMax * PLACES_OF_FLOW));
}

/** At least as many. */
function powerOfTwo(places: number): number {
  return 2 ** Math.ceil(Math.log2(Math.max(PLACES_MIN, places)));
}

/** Sections, in the order of `enum program`. */
const PROGRAMS = ["xdp", "xdp/open", "xdp/icmp", "xdp/fragment"] as const;
/** Of forwards with several. */
const SHARED_BACKENDS = 65_536;
/** Two ways; the fewer places are free, the longer are chains, and the nearer lies the table. */
const PLACES_OF_FLOW = 3.5;
const DEVICES_MAX = 4096;
/** Datagrams in fragments that are remembered: the one not seen for longest is forgotten first. */
const FRAGMENTS_MAX = 16_384;
const PLACES_MIN = 1024;
const EVENT_BYTES = 1 << 20;
