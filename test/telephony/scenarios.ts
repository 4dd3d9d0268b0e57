/** What sipp plays: a callee that answers everything, and callers that write down when each of their calls began, was answered, and was over. */

/** A line that a caller wrote. */
export interface CallLine {
  /** Milliseconds since the epoch. */
  readonly at: number;
  readonly call: number;
  readonly what: "begun" | "answered" | "over";
  /** Of "answered": who did. */
  readonly region: string;
}

export function parseCallLog(text: string): CallLine[] {
  return Array.from(text.matchAll(/call (\d+) (begun|answered|over)(?: by (\w*))? at .*?(\d{9,}\.\d+)/g), ([, call, what, region, at]) => {
    return { at: Number(at) * 1000, call: Number(call), what: what as CallLine["what"], region: region ?? "" };
  });
}

const log = (what: string): string => `<log message="call [call_number] ${what} at [timestamp]"/>`;
const nop = (action: string): string => `<nop><action>${action}</action></nop>`;
const message = (text: string, attributes = ""): string => `<send ${attributes}><![CDATA[\n\n${text}\n\n]]></send>`;
const document = (content: string): string =>
  `<?xml version="1.0" encoding="ISO-8859-1" ?>\n<scenario name="longhaul">\n${content}\n</scenario>\n`;

const description = (port: string): string => `v=0
o=user1 53655765 2353687637 IN IP[local_ip_type] [local_ip]
s=-
c=IN IP[media_ip_type] [media_ip]
t=0 0
m=audio [${port}] RTP/AVP 0
a=rtpmap:0 PCMU/8000`;

const request = (
  method: string,
  sequence: number,
  more: string,
  body = "",
): string => `${method} ${sequence === 1 && method === "INVITE" ? "sip:[service]@[remote_ip]:[remote_port]" : "[next_url]"} SIP/2.0
Via: SIP/2.0/[transport] [local_ip]:[local_port];branch=[branch]
From: sipp <sip:sipp@[local_ip]:[local_port]>;tag=[pid]SIPpTag00[call_number]
To: [service] <sip:[service]@[remote_ip]:[remote_port]>${more}
Call-ID: [call_id]
CSeq: ${sequence} ${method}
Contact: <sip:sipp@[local_ip]:[local_port]>
Max-Forwards: 70
${method === "INVITE" ? "" : "[routes]\n"}${body === "" ? "Content-Length: 0" : `Content-Type: application/sdp\nContent-Length: [len]\n\n${body}`}`;

/** `holdMs`: from the answer to the end. `voice`: a file of raw G.711 that is sent meanwhile, over and over. */
export function callerScenario(holdMs: number, voice?: string): string {
  const speaks = voice === undefined ? "" : nop(`<exec rtp_stream="${voice},-1,0"/>`);
  // What is on its way when a call ends would be lost with it.
  const falls = voice === undefined ? "" : `${nop('<exec rtp_stream="pause"/>')}<pause milliseconds="1000"/>`;
  return document(`
${nop(log("begun"))}
${message(request("INVITE", 1, "", description(voice === undefined ? "media_port" : "rtpstream_audio_port")), 'retrans="500"')}
<recv response="100" optional="true"/>
<recv response="180" optional="true"/>
<recv response="200" rrs="true"><action>
  <ereg regexp="[a-z]+" search_in="hdr" header="X-Region:" assign_to="region"/>
  <log message="call [call_number] answered by [$region] at [timestamp]"/>
</action></recv>
${message(request("ACK", 1, "[peer_tag_param]"))}
${speaks}<pause milliseconds="${holdMs}"/>${falls}
${message(request("BYE", 2, "[peer_tag_param]"), 'retrans="500"')}
<recv response="200"/>
${nop(log("over"))}`);
}

const reply = (status: string, contact: string): string => `SIP/2.0 ${status}
[last_Via:]
[last_From:]
[last_To:];tag=[pid]SIPpTag01[call_number]
[last_Call-ID:]
[last_CSeq:]
[last_Record-Route:]
Contact: <sip:[local_ip]:[local_port]>
${contact}`;

export function calleeScenario(): string {
  return document(`
<recv request="INVITE"/>
${message(reply("180 Ringing", "Content-Length: 0"))}
${message(reply("200 OK", `Content-Type: application/sdp\nContent-Length: [len]\n\n${description("media_port")}`), 'retrans="500"')}
<recv request="ACK" optional="true" rrs="true"/>
<recv request="BYE"/>
${message(reply("200 OK", "Content-Length: 0").replace(";tag=[pid]SIPpTag01[call_number]", ""))}
<pause milliseconds="4000"/>`);
}
