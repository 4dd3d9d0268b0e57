/**
 * A log line for a person at a terminal: pino's JSON becomes
 *
 *   06:01:22 info  tunnel.client  connection opened  from=127.0.0.1:5000 stream=3
 *
 * Programs that read logs get the JSON: this is used only when standard error is a terminal.
 */
const colours: Readonly<Record<string, string>> = { debug: "\x1b[2m", info: "\x1b[36m", warn: "\x1b[33m", error: "\x1b[31m" };
const reset = "\x1b[0m";
const dim = "\x1b[2m";

/** `colour` adds terminal escapes. Lines that are not pino's are left as they are. */
export function readableLine(json: string, colour: boolean): string {
  let entry: Record<string, unknown>;
  try {
    entry = JSON.parse(json) as Record<string, unknown>;
  } catch {
    return json;
  }
  const { level, time, module, msg, ...facts } = entry;
  const name = String(level);
  const paint = (code: string, text: string): string => (colour ? `${code}${text}${reset}` : text);
  const details = Object.entries(facts).map(([key, value]) => `${key}=${typeof value === "string" ? value : JSON.stringify(value)}`);
  return `${[
    paint(dim, String(time).slice(11, 19)),
    paint(colours[name] ?? "", name.padEnd(5)),
    ...(module === undefined ? [] : [paint(dim, printable(String(module)))]),
    printable(String(msg)),
    paint(dim, printable(details.join(" "))),
  ]
    .join("  ")
    .trimEnd()}\n`;
}

/** Peers choose some of what is logged: control characters never reach the terminal. */
function printable(text: string): string {
  return text.replace(/\p{Cc}/gu, "·");
}
