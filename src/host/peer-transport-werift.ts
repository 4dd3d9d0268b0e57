/**
 * Peer transports on werift, of which only ICE and DTLS are used. SRTP is ours (srtp.ts); werift's RTP and RTCP parsers, its feedback, retransmission and
 * bandwidth code are never constructed (they are defective: reference/gcc.md section J).
 *
 *   RTCIceTransport (lite) ─ datagram ─┬─ DTLS ─▶ RTCDtlsTransport, which keeps its hands off media (`srtpStarted`)
 *                                      └─ SRTP ─▶ SrtpContext ─▶ handler
 *
 * We are an ICE lite agent, as servers are: the browser checks, we answer. werift sends no consent checks then, so silence is measured here.
 */
import type { RTCCertificate, RTCDtlsTransport, RTCIceTransport } from "werift";
import { HostError } from "../base/errors.ts";
import type { Bytes, Millis } from "../base/units.ts";
import { isRtcp } from "../media/rtp/rtcp-header.ts";
import type { TransportDescription } from "../media/sdp/transport-description.ts";
import type { PeerTransport, PeerTransportCounters, PeerTransportHandler, PeerTransportOptions, PeerTransports } from "./peer-transport.ts";
import { SrtpContext } from "./srtp.ts";

type Werift = typeof import("werift");

const SILENCE: Millis = 30_000;
/** Tag of AES-GCM, UDP, IPv4. */
const OVERHEAD_BYTES: Bytes = 16 + 8 + 20;
/** DTLS wants its private key made once a process. */
let loaded: Promise<{ werift: Werift; certificate: RTCCertificate }> | undefined;

/** werift is loaded at the first call: programs without WebRTC do not pay for it. */
async function load(): Promise<{ werift: Werift; certificate: RTCCertificate }> {
  const werift = await import("werift");
  return { werift, certificate: await werift.RTCDtlsTransport.SetupCertificate() };
}

export function weriftTransports(options: PeerTransportOptions = {}): PeerTransports {
  return {
    async open(handler) {
      loaded ??= load();
      const { werift, certificate } = await loaded;
      const transport = new WeriftTransport(werift, certificate, options, handler);
      await transport.gather();
      return transport;
    },
  };
}

class WeriftTransport implements PeerTransport {
  readonly counters: PeerTransportCounters = { packetsReceived: 0, bytesReceived: 0, packetsSent: 0, bytesSent: 0, refused: 0 };
  readonly overheadBytes = OVERHEAD_BYTES;
  readonly #werift: Werift;
  readonly #handler: PeerTransportHandler;
  readonly #ice: RTCIceTransport;
  readonly #dtls: RTCDtlsTransport;
  readonly #silence: Millis;
  #sealing: SrtpContext | undefined;
  #opening: SrtpContext | undefined;
  #connected = false;
  #closed = false;
  #heard: Millis = 0;
  #watch: NodeJS.Timeout | undefined;

  constructor(werift: Werift, certificate: RTCCertificate, options: PeerTransportOptions, handler: PeerTransportHandler) {
    this.#werift = werift;
    this.#handler = handler;
    this.#silence = options.silence ?? SILENCE;
    const gatherer = new werift.RTCIceGatherer({
      iceLite: true,
      useIpv4: true,
      useIpv6: true,
      useTcp: options.tcp ?? false,
      ...(options.hosts === undefined ? {} : { additionalHostAddresses: [...options.hosts] }),
      ...(options.ports === undefined ? {} : { portRange: [...options.ports] }),
    });
    this.#ice = new werift.RTCIceTransport(gatherer);
    const profiles = [werift.ProtectionProfileAeadAes128Gcm, werift.ProtectionProfileAes128CmHmacSha1_80];
    this.#dtls = new werift.RTCDtlsTransport({}, this.#ice, certificate, profiles);
    this.#dtls.srtpStarted = true;
    this.#dtls.role = "server";
  }

  async gather(): Promise<void> {
    await this.#ice.gather();
    if (this.#ice.localCandidates.length === 0) throw new HostError("EADDRNOTAVAIL", "bind", "UDP for ICE");
  }

  get local(): TransportDescription {
    const { usernameFragment, password } = this.#ice.localParameters;
    return {
      usernameFragment,
      password,
      lite: true,
      fingerprints: this.#dtls.localParameters.fingerprints,
      setup: "passive",
      candidates: this.#ice.localCandidates.map((candidate) => candidate.toJSON().candidate.replace(/^candidate:/, "")),
    };
  }

  start(remote: TransportDescription): void {
    const { RTCDtlsFingerprint, RTCDtlsParameters } = this.#werift;
    this.#setRemote(remote);
    const fingerprints = remote.fingerprints.map(({ algorithm, value }) => new RTCDtlsFingerprint(algorithm, value));
    this.#dtls.setRemoteParams(new RTCDtlsParameters(fingerprints, "client"));
    for (const candidate of remote.candidates) this.addCandidate(candidate);
    this.#ice.connection.onData.subscribe((datagram) => this.#receive(datagram));
    this.#dtls.onStateChange.subscribe((state) => {
      if (state === "closed" || state === "failed") this.#end(`DTLS ${state}`);
    });
    this.#heard = performance.now();
    this.#watch = setInterval(() => this.#look(), Math.min(1000, this.#silence / 2));
    this.#watch.unref();
    void this.#connect();
  }

  addCandidate(candidate: string): void {
    // Names ending in .local would be asked for by multicast; the peer's checks tell its address anyway.
    if (this.#closed || candidate === "" || / \S+\.local /.test(candidate)) return;
    const parsed = this.#werift.IceCandidate.fromJSON({ candidate });
    if (parsed !== undefined) void this.#ice.addRemoteCandidate(parsed);
  }

  async restart(remote: { readonly usernameFragment: string; readonly password: string }): Promise<TransportDescription> {
    this.#ice.restart();
    this.#setRemote(remote);
    await this.#ice.gather();
    this.#ice.start().catch((error: Error) => this.#end(`ICE: ${error.message}`));
    return this.local;
  }

  sendRtp(bytes: Uint8Array, start: number, end: number): void {
    if (this.#connected) this.#send(this.#sealing!.sealRtp(bytes, start, end));
  }

  sendRtcp(bytes: Uint8Array, start: number, end: number): void {
    if (this.#connected) this.#send(this.#sealing!.sealRtcp(bytes, start, end));
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#connected = false;
    clearInterval(this.#watch);
    this.#dtls.dtls?.close();
    void this.#dtls.stop().catch(() => {});
  }

  async #connect(): Promise<void> {
    try {
      await this.#ice.start();
      await this.#dtls.start();
      this.#deriveKeys();
    } catch (error) {
      this.#end(error instanceof Error ? error.message : String(error));
      return;
    }
    if (this.#closed) return;
    this.#connected = true;
    this.#heard = performance.now();
    this.#handler.connected(this.#heard);
  }

  #deriveKeys(): void {
    const { dtls } = this.#dtls;
    const profile = dtls?.srtp.srtpProfile;
    if (dtls === undefined || profile === undefined) throw new Error("the peer knows no SRTP profile of ours");
    const name = profile === this.#werift.ProtectionProfileAeadAes128Gcm ? "aead-aes-128-gcm" : "aes128-cm-sha1-80";
    const keys = dtls.extractSessionKeys(this.#werift.keyLength(profile), this.#werift.saltLength(profile));
    this.#sealing = new SrtpContext(name, keys.localKey, keys.localSalt);
    this.#opening = new SrtpContext(name, keys.remoteKey, keys.remoteSalt);
  }

  #setRemote({ usernameFragment, password }: { readonly usernameFragment: string; readonly password: string }): void {
    this.#ice.setRemoteParams(new this.#werift.RTCIceParameters({ iceLite: false, usernameFragment, password }));
  }

  #receive(datagram: Buffer): void {
    // RFC 7983: 128…191 is RTP and RTCP.
    if (!this.#connected || datagram.length === 0 || datagram[0]! < 128 || datagram[0]! > 191) return;
    const now = performance.now();
    this.#heard = now;
    this.counters.packetsReceived++;
    this.counters.bytesReceived += datagram.length;
    const rtcp = isRtcp(datagram, 0, datagram.length);
    const clear = rtcp ? this.#opening!.openRtcp(datagram) : this.#opening!.openRtp(datagram);
    if (clear === undefined) {
      this.counters.refused++;
      return;
    }
    const view = new DataView(clear.buffer, clear.byteOffset, clear.length);
    if (rtcp) this.#handler.rtcp(now, clear, view);
    else this.#handler.rtp(now, clear, view);
  }

  #send(datagram: Buffer): void {
    this.counters.packetsSent++;
    this.counters.bytesSent += datagram.length;
    this.#ice.connection.send(datagram).catch(() => {});
  }

  #look(): void {
    if (performance.now() - this.#heard > this.#silence) this.#end(`nothing heard for ${Math.round(this.#silence / 1000)} s`);
  }

  #end(reason: string): void {
    if (this.#closed) return;
    this.close();
    this.#handler.closed(performance.now(), reason);
  }
}
