/** The thread in which `longhaul doctor` measures: on a loop of its own, so that the main thread's work is not taken for the way's. */
import { createCipher } from "../cipher/cipher.ts";
import type { CipherName } from "../cipher/names.ts";
import { primitives } from "../host/crypto.ts";
import { type Departure, departureName } from "../host/departure.ts";
import type { Loop } from "../host/loop.ts";
import type { Program } from "../host/worker-main.ts";
import type { LoopPort } from "../host/worker-port.ts";
import { Doctor } from "../tunnel/doctor.ts";
import type { Findings } from "../tunnel/findings.ts";

export interface DoctorData {
  readonly host: string;
  readonly port: number;
  readonly departure: Departure;
  readonly key: string;
  readonly crypt: CipherName;
  readonly mbpsMax: number;
  readonly natSeconds: number;
}

export type DoctorMessage =
  | { readonly kind: "step"; readonly step: string }
  | { readonly kind: "done"; readonly findings: Findings }
  | { readonly kind: "refused"; readonly message: string };

export function start(loop: Loop, data: DoctorData, port: LoopPort<never, DoctorMessage>): Program | undefined {
  const { host, mbpsMax, natSeconds } = data;
  const refuse = (message: string): void => {
    port.post({ kind: "refused", message });
    loop.stop();
  };
  if (loop.kind === "node" && departureName(data.departure) !== "") {
    refuse("--remoteaddr: what stands behind % is not allowed with Node's own sockets; leave it out");
    return undefined;
  }
  loop.resolve(host, 0, (address) => {
    if (address === undefined) {
      refuse(`name "${host}" was not found`);
      return;
    }
    const random = new Uint8Array(4);
    primitives.random(random);
    try {
      new Doctor(loop, {
        conv: new DataView(random.buffer).getUint32(0),
        cipher: createCipher(data.crypt, primitives.deriveKey(data.key), primitives),
        to: { host: address, port: data.port },
        departure: data.departure,
        mbpsMax,
        natSeconds,
        progress: (step) => port.post({ kind: "step", step }),
        done: (findings) => {
          port.post({ kind: "done", findings });
          loop.stop();
        },
      });
    } catch (error) {
      if ((error as Error).name !== "HostError") throw error;
      refuse((error as Error).message);
    }
  });
  return undefined;
}
