/**
 * A region of a telephony company, in one namespace: Kamailio takes SIP over UDP and over WebSocket, rtpengine relays media, sipp answers every call and sends back
 * what it hears. Both say of themselves that they are at the accelerator's address.
 *
 *   edge ──▶ 5060/udp, 8080/tcp Kamailio ──▶ 5070/udp sipp (callee)
 *        ──▶ its media ports     rtpengine ──▶ 6000/udp of loopback, sipp's echo
 */
import type { ChildProcess } from "node:child_process";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { ADDRESS, ENDPOINT, type Lab } from "../edge/lab.ts";
import { calleeScenario } from "./scenarios.ts";

export type Name = "a" | "b";
export const SIP = 5060;
export const WEBSOCKET = 8080;
export const MEDIA_PORTS = 1000;
/** The first of each region's media ports: the same outside and inside. */
export const MEDIA = { a: 20_000, b: 30_000 } as const;
const CALLEE = 5070;
const ECHO = 6000;
const NG = 2223;

export class Region {
  readonly name: Name;
  readonly #lab: Lab;
  readonly #children: ChildProcess[] = [];

  constructor(lab: Lab, name: Name) {
    this.#lab = lab;
    this.name = name;
  }

  async start(): Promise<void> {
    const { name } = this;
    const host = ENDPOINT[name];
    const [first, last] = [MEDIA[name], MEDIA[name] + MEDIA_PORTS - 1];
    const ends = [`--interface=pub/${host}!${ADDRESS}`, "--interface=int/127.0.0.1", `--port-min=${first}`, `--port-max=${last}`];
    // No kernel module: it relays in userspace.
    const relay = ["rtpengine", "--config-file=none", "--foreground", "--log-stderr", "--log-level=3", "--table=-1", "--delete-delay=0"];
    this.#run([...relay, ...ends, `--listen-ng=127.0.0.1:${NG}`, "--num-threads=2"]);
    const callee = this.#file("callee.xml", calleeScenario());
    this.#run([
      ...["sipp", "-sf", callee, "-i", host, "-p", String(CALLEE), "-mi", "127.0.0.1", "-mp", String(ECHO)],
      ...["-rtp_echo", "-nostdin", "-max_socket", "4000"],
    ]);
    await sleep(500);
    // A process namespace: when its first one is killed, none of them is left.
    const configuration = this.#file("kamailio.cfg", kamailio(name));
    this.#run([
      "unshare",
      "--pid",
      "--fork",
      "--kill-child",
      "kamailio",
      "-DD",
      "-E",
      "-m",
      "64",
      "-M",
      "8",
      "-f",
      configuration,
      "-Y",
      this.#lab.folder,
    ]);
  }

  /** The whole region at once: nothing is said to anybody any more. */
  die(): void {
    this.#lab.run("x", "ip", "link", "set", `w${this.name}`, "down");
    for (const child of this.#children) child.kill("SIGKILL");
  }

  #run(command: readonly string[]): void {
    this.#children.push(this.#lab.spawn(this.name, command, true));
  }

  #file(name: string, text: string): string {
    const path = join(this.#lab.folder, `${this.name}-${name}`);
    writeFileSync(path, text);
    return path;
  }
}

function kamailio(name: Name): string {
  const host = ENDPOINT[name];
  const modules = ["kex", "tm", "sl", "rr", "pv", "maxfwd", "textops", "siputils", "xhttp", "websocket", "nathelper", "rtpengine"];
  return `#!KAMAILIO
debug=0
log_stderror=yes
children=2
tcp_children=2
tcp_accept_no_cl=yes
auto_aliases=no
alias="${ADDRESS}"
listen=udp:${host}:${SIP} advertise ${ADDRESS}:${SIP}
listen=tcp:${host}:${WEBSOCKET} advertise ${ADDRESS}:${WEBSOCKET}
${modules.map((module) => `loadmodule "${module}.so"`).join("\n")}
modparam("rtpengine", "rtpengine_sock", "udp:127.0.0.1:${NG}")

request_route {
  if (!mf_process_maxfwd_header("10")) { sl_send_reply("483", "Too Many Hops"); exit; }
  if ((is_method("OPTIONS") && !has_totag()) || is_method("REGISTER")) { sl_send_reply("200", "OK"); exit; }
  force_rport();
  if ($proto =~ "ws") add_contact_alias();
  if (is_method("CANCEL")) { if (t_check_trans()) t_relay(); exit; }
  if (has_totag()) {
    if (loose_route()) {
      if (is_method("BYE")) rtpengine_delete();
      t_relay();
    } else if (!is_method("ACK")) sl_send_reply("481", "Not Here");
    else if (t_check_trans()) t_relay();
    exit;
  }
  if (!is_method("INVITE")) { sl_send_reply("405", "Method Not Allowed"); exit; }
  record_route();
  rtpengine_offer("RTP/AVP ICE=remove rtcp-mux-demux DTLS=off SDES-off replace-origin replace-session-connection direction=pub direction=int");
  if ($proto =~ "ws") t_on_reply("BROWSER"); else t_on_reply("PHONE");
  $du = "sip:${host}:${CALLEE}";
  t_relay();
}

onreply_route[BROWSER] {
  append_hf("X-Region: ${name}\\r\\n");
  if (has_body("application/sdp"))
    rtpengine_answer("RTP/SAVPF ICE=force rtcp-mux-offer rtcp-mux-require DTLS=active SDES-off generate-mid replace-origin replace-session-connection");
}

onreply_route[PHONE] {
  append_hf("X-Region: ${name}\\r\\n");
  if (has_body("application/sdp")) rtpengine_answer("RTP/AVP ICE=remove replace-origin replace-session-connection");
}

event_route[xhttp:request] {
  set_reply_close();
  set_reply_no_connect();
  if ($hdr(Upgrade) =~ "websocket") { ws_handle_handshake(); exit; }
  xhttp_reply("404", "Not Found", "", "");
}
`;
}
