/** Runs in each thread of an edge that moves traffic: a data plane on the loop it is given. */
import type { Loop } from "../host/loop.ts";
import type { Program } from "../host/worker-main.ts";
import type { LoopPort } from "../host/worker-port.ts";
import type { EdgeCommand, EdgeMessage } from "./edge-messages.ts";
import { EndedFlows } from "./ended-flows.ts";
import { describe, type FlowObservation, observe } from "./observation.ts";
import { Plane, type PlaneOptions } from "./plane.ts";
import type { Tunnels } from "./tunnels.ts";

export type EdgeWorkerData = Omit<PlaneOptions, "loop" | "suspected" | "tunnels" | "ended">;

export function start(loop: Loop, data: EdgeWorkerData, port: LoopPort<EdgeCommand, EdgeMessage>): Program {
  return runEdgeThread(loop, data, port);
}

export function runEdgeThread(loop: Loop, data: EdgeWorkerData, port: LoopPort<EdgeCommand, EdgeMessage>, tunnels?: Tunnels): Program {
  const ended = new EndedFlows(() => loop.now());
  const plane = new Plane({ ...data, loop, tunnels, ended: ended.add, suspected: (key) => port.post({ kind: "suspect", key }) });
  port.onCommand((command, now) => {
    switch (command.kind) {
      case "config":
        port.post({ kind: "applied", id: command.id, problems: plane.apply(command.config, command.addresses, now) });
        return;
      case "stand":
        plane.stand(command.changes, now);
        return;
      case "arrange":
        plane.arrange(command.regions);
        return;
      case "flows": {
        const flows: FlowObservation[] = [];
        for (const flow of plane.each()) {
          if (flows.length >= command.limit) break;
          flows.push(describe(flow, now));
        }
        port.post({ kind: "flows", id: command.id, flows });
        return;
      }
      case "log":
        port.post({ kind: "logged", id: command.id, ...ended.take(plane.each(), now) });
        return;
      case "stop":
        plane.close();
        loop.stop();
    }
  });
  return { counters: () => observe(plane) };
}
