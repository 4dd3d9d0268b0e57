/**
 * TLS on any stream socket of a loop, by the OpenSSL inside the node executable: its ends are memory, so that no loop has to know of it.
 *
 *   read   socket ─▶ bytes ─▶ BIO ─▶ SSL_read ─▶ caller          write   caller ─▶ SSL_write ─▶ BIO ─▶ bytes ─▶ socket
 *
 * What is written is at most one call ahead of the socket. Source: the manual pages ssl(7), BIO_s_mem(3), SSL_CTX_set_verify(3) of OpenSSL 3; RFC 8446, RFC 6066.
 */
import { existsSync } from "node:fs";
import koffi from "koffi";
import { HostError } from "../base/errors.ts";
import type { Pieces } from "../base/pieces.ts";
import type { Millis } from "../base/units.ts";
import { type Address, Pinned } from "./crypto-openssl.ts";
import type { TcpHandler, TcpSocket, TcpTuning } from "./loop.ts";
import { readEach, writeEach } from "./scatter.ts";

export interface TlsOptions {
  /** Server: PEM files of its certificate chain and key. */
  readonly certificate?: string;
  readonly key?: string;
  /** Client: PEM file of authorities; the system's by default. */
  readonly authorities?: string;
  /** Client: SHA-256 of the server's certificate, 64 hexadecimal digits; then no authority is asked. */
  readonly pin?: string;
  /** Client: the server's name, sent to it and looked for in its certificate. */
  readonly name?: string;
}

type Call = (...args: (number | string)[]) => number;
const signatures = {
  TLS_method: ["uintptr_t", []],
  SSL_CTX_new: ["uintptr_t", ["uintptr_t"]],
  SSL_CTX_ctrl: ["long", ["uintptr_t", "int", "long", "uintptr_t"]],
  SSL_CTX_use_certificate_chain_file: ["int", ["uintptr_t", "str"]],
  SSL_CTX_use_PrivateKey_file: ["int", ["uintptr_t", "str", "int"]],
  SSL_CTX_load_verify_file: ["int", ["uintptr_t", "str"]],
  SSL_CTX_set_verify: ["void", ["uintptr_t", "int", "uintptr_t"]],
  SSL_new: ["uintptr_t", ["uintptr_t"]],
  SSL_free: ["void", ["uintptr_t"]],
  SSL_set_bio: ["void", ["uintptr_t", "uintptr_t", "uintptr_t"]],
  SSL_set_connect_state: ["void", ["uintptr_t"]],
  SSL_set_accept_state: ["void", ["uintptr_t"]],
  SSL_set1_host: ["int", ["uintptr_t", "str"]],
  SSL_do_handshake: ["int", ["uintptr_t"]],
  SSL_get_error: ["int", ["uintptr_t", "int"]],
  SSL_get_verify_result: ["long", ["uintptr_t"]],
  SSL_read: ["int", ["uintptr_t", "uintptr_t", "int"]],
  SSL_write: ["int", ["uintptr_t", "uintptr_t", "int"]],
  SSL_shutdown: ["int", ["uintptr_t"]],
  SSL_get1_peer_certificate: ["uintptr_t", ["uintptr_t"]],
  X509_free: ["void", ["uintptr_t"]],
  X509_digest: ["int", ["uintptr_t", "uintptr_t", "uintptr_t", "uintptr_t"]],
  EVP_sha256: ["uintptr_t", []],
  BIO_new: ["uintptr_t", ["uintptr_t"]],
  BIO_s_mem: ["uintptr_t", []],
  BIO_read: ["int", ["uintptr_t", "uintptr_t", "int"]],
  BIO_write: ["int", ["uintptr_t", "uintptr_t", "int"]],
  ERR_clear_error: ["void", []],
} as const;
type Symbols = Record<keyof typeof signatures, Call> & { setName(ssl: Address, command: number, type: number, name: string): number };

let symbols: Symbols | undefined;

/** @throws HostError when this node executable does not export its OpenSSL */
function load(): Symbols {
  try {
    const library = koffi.load(null);
    const calls = Object.fromEntries(
      Object.entries(signatures).map(([name, [answer, parameters]]) => [name, library.func(name, answer, [...parameters]) as unknown]),
    ) as Record<keyof typeof signatures, Call>;
    return { ...calls, setName: library.func("SSL_ctrl", "long", ["uintptr_t", "int", "long", "str"]) as Symbols["setName"] };
  } catch (error) {
    throw new HostError("ENOSYS", "OpenSSL", (error as Error).message);
  }
}

const contexts = new FinalizationRegistry<Address>((ssl) => symbols!.SSL_free(ssl));

/** What the connections of one end have in common. It is never freed: there is one for each carrier. */
export class TlsContext {
  readonly role: "client" | "server";
  readonly options: TlsOptions;
  readonly address: Address;

  /** @throws HostError that names the file that cannot be used */
  constructor(role: "client" | "server", options: TlsOptions) {
    symbols ??= load();
    this.role = role;
    this.options = options;
    this.address = symbols.SSL_CTX_new(symbols.TLS_method());
    symbols.SSL_CTX_ctrl(this.address, SET_MIN_PROTO_VERSION, TLS1_2, 0);
    // A write may be tried again from another buffer, and may take a part.
    symbols.SSL_CTX_ctrl(this.address, SET_MODE, PARTIAL_WRITE | MOVING_BUFFER, 0);
    const use = (done: number, file: string): void => {
      symbols!.ERR_clear_error();
      if (done !== 1) throw new HostError("EINVAL", "TLS", `${file} cannot be used`);
    };
    if (role === "server") {
      const { certificate = "", key = certificate } = options;
      use(symbols.SSL_CTX_use_certificate_chain_file(this.address, certificate), certificate);
      use(symbols.SSL_CTX_use_PrivateKey_file(this.address, key, PEM), key);
    } else if (options.pin === undefined) {
      const authorities = options.authorities ?? SYSTEM_AUTHORITIES.find((file) => existsSync(file));
      if (authorities === undefined)
        throw new HostError("ENOENT", "TLS", "no authorities of the system are found; give a file of them, or a pin");
      use(symbols.SSL_CTX_load_verify_file(this.address, authorities), authorities);
      symbols.SSL_CTX_set_verify(this.address, VERIFY_PEER, 0);
    }
  }
}

export class TlsSocket implements TcpSocket, TcpHandler {
  /** The connection below; set at once by whoever makes it. */
  inner: TcpSocket | undefined;
  handler: TcpHandler | undefined;
  readonly #context: TlsContext;
  readonly #ssl: Address;
  readonly #in: Address;
  readonly #out: Address;
  /** Ciphertext both ways. */
  readonly #bytes = new Uint8Array(new ArrayBuffer(BUFFER_BYTES));
  readonly #sending = new Uint8Array(new ArrayBuffer(BUFFER_BYTES));
  readonly #pinned = new Pinned();
  readonly #pinnedBytes = new Pinned();
  readonly #pinnedSending = new Pinned();
  #sendStart = 0;
  #sendEnd = 0;
  #open = false;
  #ended = false;
  #readWaits = true;
  #writeWaits = false;
  #over = false;

  constructor(context: TlsContext) {
    const { SSL_new, BIO_new, BIO_s_mem, SSL_set_bio, SSL_set_accept_state, SSL_set_connect_state, SSL_set1_host, setName } = symbols!;
    this.#context = context;
    this.#ssl = SSL_new(context.address);
    contexts.register(this, this.#ssl);
    this.#in = BIO_new(BIO_s_mem());
    this.#out = BIO_new(BIO_s_mem());
    SSL_set_bio(this.#ssl, this.#in, this.#out);
    if (context.role === "server") {
      SSL_set_accept_state(this.#ssl);
      return;
    }
    SSL_set_connect_state(this.#ssl);
    const { name, pin } = context.options;
    if (name === undefined) return;
    setName(this.#ssl, SET_HOST_NAME, 0, name);
    if (pin === undefined) SSL_set1_host(this.#ssl, name);
  }

  get remote(): string {
    return this.inner?.remote ?? "";
  }
  get local(): string {
    return this.inner?.local ?? "";
  }
  get congestion(): string {
    return this.inner?.congestion ?? "";
  }
  tune(tuning: TcpTuning): void {
    this.inner?.tune?.(tuning);
  }

  read(bytes: Uint8Array, offset: number, limit: number): number {
    if (!this.#open) {
      this.#readWaits = true;
      return 0;
    }
    for (;;) {
      const n = symbols!.SSL_read(this.#ssl, this.#pinned.of(bytes) + offset, limit - offset);
      if (n > 0) return n;
      if (this.#ended || symbols!.SSL_get_error(this.#ssl, n) !== WANT_READ) return -1;
      if (!this.#fetch()) {
        if (this.#ended) continue;
        this.#readWaits = true;
        return 0;
      }
    }
  }

  write(bytes: Uint8Array, offset: number, end: number): number {
    if (end <= offset) return 0;
    if (!this.#open || !this.#drain()) {
      this.#writeWaits = true;
      return 0;
    }
    const n = symbols!.SSL_write(this.#ssl, this.#pinned.of(bytes) + offset, Math.min(end - offset, RECORD_BYTES));
    this.#drain();
    if (n < end - offset) this.#writeWaits = true;
    return Math.max(0, n);
  }

  readv(pieces: Pieces): number {
    return readEach(this, pieces);
  }
  writev(pieces: Pieces): number {
    return writeEach(this, pieces);
  }

  shutdown(): void {
    if (this.#open) symbols!.SSL_shutdown(this.#ssl);
    this.#drain();
    this.inner?.shutdown();
  }
  close(): void {
    this.#over = true;
    if (this.#open) symbols!.SSL_shutdown(this.#ssl);
    this.#drain();
    this.inner?.close();
  }
  reset(): void {
    this.#over = true;
    this.inner?.reset();
  }

  connected(now: Millis): void {
    this.#advance(now);
  }

  readable(now: Millis): void {
    // A server's first call is for its handshake.
    while (!this.#open && !this.#over) {
      const more = this.#fetch();
      this.#advance(now);
      if (!more) {
        if (this.#ended && !this.#open) this.#fail(now, "ECONNRESET");
        return;
      }
    }
    this.#tellReadable(now);
  }

  writable(now: Millis): void {
    if (!this.#drain() || !this.#writeWaits || !this.#open || this.#over) return;
    this.#writeWaits = false;
    this.handler?.writable(now);
  }

  closed(now: Millis, code: string): void {
    this.#fail(now, code);
  }

  #tellReadable(now: Millis): void {
    if (!this.#readWaits || this.#over) return;
    this.#readWaits = false;
    this.handler?.readable(now);
  }

  /** Takes the handshake on. */
  #advance(now: Millis): void {
    if (this.#open || this.#over) return;
    const done = symbols!.SSL_do_handshake(this.#ssl);
    const error = done === 1 ? 0 : symbols!.SSL_get_error(this.#ssl, done);
    this.#drain();
    if (error === WANT_READ) return;
    if (error !== 0) {
      symbols!.ERR_clear_error();
      const result = this.#context.role === "client" ? symbols!.SSL_get_verify_result(this.#ssl) : 0;
      this.#fail(now, result === 0 ? "no TLS with the other end" : `the server's certificate is not accepted (X509 ${result})`);
      return;
    }
    if (!this.#pinFits()) {
      this.#fail(now, "the server's certificate is not the pinned one");
      return;
    }
    this.#open = true;
    if (this.#context.role === "client") this.handler?.connected(now);
    else if (this.#writeWaits) {
      this.#writeWaits = false;
      this.handler?.writable(now);
    }
  }

  #pinFits(): boolean {
    const { pin } = this.#context.options;
    if (this.#context.role === "server" || pin === undefined) return true;
    const certificate = symbols!.SSL_get1_peer_certificate(this.#ssl);
    if (certificate === 0) return false;
    const digest = new Uint8Array(new ArrayBuffer(64));
    symbols!.X509_digest(certificate, symbols!.EVP_sha256(), this.#pinned.of(digest), 0);
    symbols!.X509_free(certificate);
    return Buffer.from(digest.subarray(0, 32)).toString("hex") === pin.toLowerCase();
  }

  /** Moves what has come from the socket to OpenSSL; false when nothing has. */
  #fetch(): boolean {
    const n = this.inner!.read(this.#bytes, 0, this.#bytes.length);
    if (n < 0) this.#ended = true;
    if (n <= 0) return false;
    symbols!.BIO_write(this.#in, this.#pinnedBytes.of(this.#bytes), n);
    return true;
  }

  /** Moves what OpenSSL has to say to the socket; true when nothing is left. */
  #drain(): boolean {
    for (;;) {
      if (this.#sendStart === this.#sendEnd) {
        const n = symbols!.BIO_read(this.#out, this.#pinnedSending.of(this.#sending), this.#sending.length);
        if (n <= 0) return true;
        this.#sendStart = 0;
        this.#sendEnd = n;
      }
      this.#sendStart += this.inner!.write(this.#sending, this.#sendStart, this.#sendEnd);
      if (this.#sendStart < this.#sendEnd) return false;
    }
  }

  #fail(now: Millis, code: string): void {
    if (this.#over) return;
    this.#over = true;
    this.inner?.reset();
    this.handler?.closed(now, code);
  }
}

const PEM = 1;
const SET_MIN_PROTO_VERSION = 123;
const TLS1_2 = 0x0303;
const SET_MODE = 33;
const PARTIAL_WRITE = 1;
const MOVING_BUFFER = 2;
const VERIFY_PEER = 1;
const SET_HOST_NAME = 55;
const WANT_READ = 2;
/** Of one record. */
const RECORD_BYTES = 16_384;
const BUFFER_BYTES = 18_432;
const SYSTEM_AUTHORITIES = ["/etc/ssl/certs/ca-certificates.crt", "/etc/pki/tls/certs/ca-bundle.crt", "/etc/ssl/cert.pem"];
