/**
 * A question to an authoritative name server and its answer, bytes to bytes. Packets are read and written by dns-packet.
 *
 *   bytes ─► header, one question ─► answer(question) ─► bytes, no longer than who asked can take, else truncated: it asks again by TCP
 *
 * Source: RFC 1035 section 4; RFC 6891 (EDNS: sizes, versions); RFC 9715 for 1232 bytes. What is no question is not answered at all.
 */
import {
  type Answer,
  AUTHORITATIVE_ANSWER,
  type DecodedPacket,
  decode,
  encode,
  type OptAnswer,
  RECURSION_DESIRED,
  TRUNCATED_RESPONSE,
} from "dns-packet";

export interface DnsQuestion {
  /** In lower case, without a dot at its end; "" for the root. */
  readonly name: string;
  /** "A", "AAAA", "SOA", …; "UNKNOWN_n" for one without a name. */
  readonly type: string;
}

export type DnsCode = keyof typeof CODES;

export interface DnsAnswer {
  readonly code: DnsCode;
  readonly answers: readonly Answer[];
  readonly authorities: readonly Answer[];
}

/** `asked` is the name as it was written, for answers to bear. */
export type Answerer = (question: DnsQuestion, asked: string) => DnsAnswer;

export interface DnsRequest {
  readonly bytes: Buffer;
  /** By UDP, where 512 bytes are all that anybody must take. */
  readonly datagram: boolean;
  /** Answered with nothing but the mark that says so: by TCP it will be. */
  readonly truncate: boolean;
}

const CODES = { NOERROR: 0, FORMERR: 1, SERVFAIL: 2, NXDOMAIN: 3, NOTIMP: 4, REFUSED: 5, BADVERS: 16 } as const;
const HEADER_BYTES = 12;
const PLAIN_BYTES_MAX = 512;
/** What passes everywhere without being split. */
export const DATAGRAM_BYTES_MAX = 1232;

/** Undefined: not to be answered. */
export function answerDns({ bytes, datagram, truncate }: DnsRequest, answerer: Answerer): Buffer | undefined {
  // Answers are never answered: two servers would go on for ever.
  if (bytes.length < HEADER_BYTES || (bytes[2]! & 0x80) !== 0) return undefined;
  let query: DecodedPacket;
  try {
    query = decode(bytes);
  } catch {
    return headerOnly(bytes, CODES.FORMERR);
  }
  if (((bytes[2]! >> 3) & 0xf) !== 0) return headerOnly(bytes, CODES.NOTIMP);
  const { questions = [], additionals = [] } = query;
  const [question] = questions;
  if (questions.length !== 1 || question === undefined) return headerOnly(bytes, CODES.FORMERR);
  const option = additionals.find((record): record is OptAnswer => record.type === "OPT");
  const sizeMax = datagram ? Math.min(DATAGRAM_BYTES_MAX, Math.max(PLAIN_BYTES_MAX, option?.udpPayloadSize ?? 0)) : 65_535;
  const name = question.name === "." ? "" : question.name.toLowerCase().replace(/\.$/, "");
  const known = (option?.ednsVersion ?? 0) === 0;
  const inside = question.class === undefined || question.class === "IN" || question.class === "ANY";
  const answer: DnsAnswer = !known ? empty("BADVERS") : inside ? answerer({ name, type: question.type }, question.name) : empty("REFUSED");
  try {
    const write = (short: boolean): Buffer => {
      const code = CODES[answer.code];
      return encode({
        type: "response",
        id: query.id,
        flags:
          (query.flag_rd ? RECURSION_DESIRED : 0) |
          (answer.code === "REFUSED" || !known ? 0 : AUTHORITATIVE_ANSWER) |
          (short ? TRUNCATED_RESPONSE : 0) |
          (code & 0xf),
        questions: [question],
        answers: short ? [] : [...answer.answers],
        authorities: short ? [] : [...answer.authorities],
        additionals: option === undefined ? [] : [ourOption(code >> 4)],
      });
    };
    const whole = write(truncate);
    return whole.length <= sizeMax ? whole : write(true);
  } catch {
    return headerOnly(bytes, CODES.SERVFAIL);
  }
}

export function empty(code: DnsCode): DnsAnswer {
  return { code, answers: [], authorities: [] };
}

function ourOption(extendedRcode: number): OptAnswer {
  return {
    type: "OPT",
    name: ".",
    udpPayloadSize: DATAGRAM_BYTES_MAX,
    extendedRcode,
    ednsVersion: 0,
    flags: 0,
    flag_do: false,
    options: [],
  };
}

/** For what could not be understood: nothing but who asked and why not. */
function headerOnly(bytes: Buffer, code: number): Buffer {
  const answer = Buffer.alloc(HEADER_BYTES);
  bytes.copy(answer, 0, 0, 2);
  answer[2] = 0x80 | (bytes[2]! & 0x79);
  answer[3] = code;
  return answer;
}
