/**
 * Keys from what a terminal sends: "a", "up", "enter", "ctrl-c".
 *
 * Source: ECMA-48 and xterm's control sequences, in both cursor key modes. A lone ESC at the end is the escape key; sequences that are not known are left out.
 */
const named: Readonly<Record<string, string>> = {
  "\r": "enter",
  "\n": "enter",
  "\t": "tab",
  "\x7f": "backspace",
  "\b": "backspace",
  "\x1b": "escape",
};
const finals: Readonly<Record<string, string>> = { A: "up", B: "down", C: "right", D: "left", H: "home", F: "end" };
const numbered: Readonly<Record<string, string>> = { "1": "home", "4": "end", "5": "pageup", "6": "pagedown", "7": "home", "8": "end" };

export function readKeys(text: string): string[] {
  const keys: string[] = [];
  // biome-ignore lint/suspicious/noControlCharactersInRegex: keys are control characters
  for (const [all, parameters, final] of text.matchAll(/\x1b[[O]([0-9;]*)([A-Za-z~])|\x1b\x1b|[\s\S]/gu)) {
    const key = final === undefined ? simple(all) : final === "~" ? numbered[parameters!.split(";")[0]!] : finals[final];
    if (key !== undefined) keys.push(key);
  }
  return keys;
}

function simple(text: string): string | undefined {
  if (text === "\x1b\x1b") return "escape";
  const name = named[text];
  if (name !== undefined) return name;
  const code = text.codePointAt(0)!;
  return code < 32 ? `ctrl-${String.fromCharCode(code + 96)}` : text;
}
