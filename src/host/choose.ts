/** Which loop is used here: epoll where the foreign calls work, Node's own sockets anywhere else. */
import { ConfigError } from "../base/errors.ts";
import { Epoll } from "./epoll.ts";
import { EPOLLIN } from "./linux-abi.ts";
import { loadSys } from "./sys.ts";
import { WakeEvent } from "./wake-event.ts";

export type IoKind = "epoll" | "node";

export interface IoChoice {
  readonly kind: IoKind;
  /** For the log, behind the kind: "foreign calls work". */
  readonly reason: string;
}

/**
 * `wanted` is the option `io`; the environment's LONGHAUL_IO forces one where the option is "auto".
 * @throws ConfigError when LONGHAUL_IO is neither epoll nor node, or when epoll was asked for and does not work
 */
export function chooseIo(wanted: "auto" | IoKind = "auto", environment: string | undefined = process.env.LONGHAUL_IO): IoChoice {
  if (wanted !== "auto") return forced(wanted, "option io");
  if (environment === undefined || environment === "" || environment === "auto") return probe();
  if (environment === "epoll" || environment === "node") return forced(environment, "LONGHAUL_IO");
  throw new ConfigError("LONGHAUL_IO", `LONGHAUL_IO is "${environment}"; allowed are auto, epoll and node`);
}

function forced(kind: IoKind, by: string): IoChoice {
  if (kind === "node") return { kind, reason: `${by} says so` };
  const choice = probe();
  if (choice.kind === "node") throw new ConfigError("io", `${by} asks for epoll, but ${choice.reason}`);
  return { kind, reason: `${by} says so` };
}

/** Loads the foreign calls and has an event go once through an epoll instance: a sandbox may refuse what the loader allowed. */
function probe(): IoChoice {
  try {
    const sys = loadSys();
    const epoll = new Epoll(sys);
    const event = new WakeEvent();
    try {
      let seen = false;
      epoll.add({ fd: event.fd, ready: () => (seen = true) }, EPOLLIN);
      event.signal();
      epoll.dispatch(epoll.wait(0), 0);
      return seen ? { kind: "epoll", reason: "foreign calls work" } : { kind: "node", reason: "epoll did not report an event" };
    } finally {
      event.close();
      epoll.close();
    }
  } catch (error) {
    return { kind: "node", reason: `foreign calls do not work: ${error instanceof Error ? error.message : String(error)}` };
  }
}
