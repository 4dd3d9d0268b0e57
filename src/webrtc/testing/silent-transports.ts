/** Transports without sockets: nothing comes, what is sent goes nowhere, and what was asked of them is remembered. */
import type { PeerTransport, PeerTransports } from "../../host/peer-transport.ts";

export class SilentTransports implements PeerTransports {
  readonly candidates: string[] = [];
  readonly restarts: string[] = [];
  closed = 0;
  #generation = 0;

  get #local() {
    return {
      usernameFragment: `us${this.#generation}x`,
      password: "0123456789012345678901",
      lite: true,
      fingerprints: [{ algorithm: "sha-256", value: "AA:BB" }],
      setup: "passive",
      candidates: ["1 1 udp 1 192.0.2.1 5000 typ host"],
    };
  }

  async open(): Promise<PeerTransport> {
    return {
      local: this.#local,
      counters: { packetsReceived: 0, bytesReceived: 0, packetsSent: 0, bytesSent: 0, refused: 0 },
      overheadBytes: 44,
      start() {},
      addCandidate: (candidate) => void this.candidates.push(candidate),
      restart: async ({ usernameFragment }) => {
        this.restarts.push(usernameFragment);
        this.#generation++;
        return this.#local;
      },
      sendRtp() {},
      sendRtcp() {},
      close: () => void this.closed++,
    };
  }
}
