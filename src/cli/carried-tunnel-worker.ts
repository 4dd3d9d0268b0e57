/** The worker thread of a tunnel end with carriers beside or instead of UDP (tunnel-program.ts). */
import type { Loop } from "../host/loop.ts";
import type { Program } from "../host/worker-main.ts";
import type { LoopPort } from "../host/worker-port.ts";
import { makeCarriers } from "./carriers.ts";
import { runTunnelEnd, type TunnelCommand, type TunnelData, type TunnelMessage } from "./tunnel-program.ts";

export function start(loop: Loop, data: TunnelData, port: LoopPort<TunnelCommand, TunnelMessage>): Program | undefined {
  return runTunnelEnd(makeCarriers, loop, data, port);
}
