/** A thread of `longhaul edge`: its data plane, and a client of each of its tunnels on the same loop. */
import type { EdgeCommand, EdgeMessage } from "../accelerate/edge-messages.ts";
import { type EdgeWorkerData, runEdgeThread } from "../accelerate/edge-worker.ts";
import type { Tunnels } from "../accelerate/tunnels.ts";
import { primitives } from "../host/crypto.ts";
import { createLog } from "../host/log.ts";
import type { Loop } from "../host/loop.ts";
import type { Program } from "../host/worker-main.ts";
import type { LoopPort } from "../host/worker-port.ts";
import { TunnelClient } from "../tunnel/client.ts";
import type { ClientConfig } from "../tunnel/config.ts";

export interface TunnelledEdgeData {
  readonly plane: EdgeWorkerData;
  readonly tunnels: Readonly<Record<string, ClientConfig>>;
}

export function start(loop: Loop, { plane, tunnels }: TunnelledEdgeData, port: LoopPort<EdgeCommand, EdgeMessage>): Program {
  return runEdgeThread(loop, plane, port, tunnelsOf(loop, tunnels));
}

function tunnelsOf(loop: Loop, configs: TunnelledEdgeData["tunnels"]): Tunnels {
  const log = createLog("warn").child({ module: "edge" });
  const clients = new Map(
    Object.entries(configs).map(([name, config]) => [
      name,
      new TunnelClient(config, { loop, log: log.child({ tunnel: name }), primitives }),
    ]),
  );
  return {
    dial: (now, tunnel, target, socket) => {
      const client = clients.get(tunnel);
      return client?.answers(now) === true ? client.dial(now, socket, target) : undefined;
    },
  };
}
