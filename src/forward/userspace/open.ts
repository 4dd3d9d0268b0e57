/** The userspace datapath on the loop that works here. */
import { chooseIo } from "../../host/choose.ts";
import { raiseDescriptors } from "../../host/descriptor-limit.ts";
import { refuseDatagram } from "../../host/icmp-refusal.ts";
import { EpollLoop } from "../../host/loop-epoll.ts";
import { NodeLoop } from "../../host/loop-node.ts";
import { sourceAddress } from "../../host/route.ts";
import { loadSys } from "../../host/sys.ts";
import { UserspaceDatapath } from "./datapath.ts";

/** Inside Node's event loop of this thread. */
export function openUserspace(flowsMax: number): UserspaceDatapath {
  const random = Math.random;
  if (chooseIo().kind === "node")
    return new UserspaceDatapath({ loop: new NodeLoop(), flowsMax, random, route: (host) => (host.includes(":") ? "::" : "0.0.0.0") });
  const loop = new EpollLoop();
  loop.attach();
  const sys = loadSys();
  return new UserspaceDatapath({
    ...{ loop, flowsMax, random },
    descriptors: raiseDescriptors,
    route: (host) => sourceAddress(sys, { host, port: 9 }),
    refuse: (from, to, quoted) => refuseDatagram(sys, from, to, quoted),
  });
}
