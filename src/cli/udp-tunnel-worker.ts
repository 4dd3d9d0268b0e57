/** The worker thread of a tunnel end whose datagrams go by plain UDP (tunnel-program.ts). */
import { udpCarrier } from "../host/link.ts";
import type { Loop } from "../host/loop.ts";
import type { Program } from "../host/worker-main.ts";
import type { LoopPort } from "../host/worker-port.ts";
import type { CarrierAt } from "../tunnel/slot.ts";
import type { PlannedCarrier } from "./carrier-plan.ts";
import { runTunnelEnd, type TunnelCommand, type TunnelData, type TunnelMessage } from "./tunnel-program.ts";

export function start(loop: Loop, data: TunnelData, port: LoopPort<TunnelCommand, TunnelMessage>): Program | undefined {
  return runTunnelEnd(udpCarriers, loop, data, port);
}

function udpCarriers(plan: readonly PlannedCarrier[], _mtu: number, loop: Loop): CarrierAt[] {
  return plan.map(({ at }) => ({ carrier: udpCarrier(loop), ...(at === undefined ? {} : { at }) }));
}
