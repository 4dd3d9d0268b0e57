/** Numbers as a narrow column of a terminal shows them: three digits and a letter. What is not known is "-". */

/** 0…999, 1.23k, 45.6M: at most 5 characters up to 10^18. */
export function amount(value: number): string {
  if (!Number.isFinite(value)) return unknown;
  let scaled = Math.abs(value);
  let letter = 0;
  // Three digits are shown, so that 999.5 is a thousand already.
  while (scaled >= 999.5 && letter < letters.length - 1) {
    scaled /= 1000;
    letter++;
  }
  const digits = letter === 0 || scaled >= 99.95 ? 0 : scaled >= 9.995 ? 1 : 2;
  return `${value < 0 ? "-" : ""}${scaled.toFixed(digits)}${letters[letter]}`;
}

/** A share 0…1 as "0.4%", "12%". */
export function percent(share: number): string {
  if (!Number.isFinite(share)) return unknown;
  const value = share * 100;
  return `${value > 0 && value < 9.95 ? value.toFixed(1) : value.toFixed(0)}%`;
}

/** Milliseconds: "0.4", "205", "12.3s". */
export function millis(ms: number): string {
  if (!Number.isFinite(ms)) return unknown;
  if (ms >= 9999.5) return `${(ms / 1000).toFixed(1)}s`;
  return ms > 0 && ms < 9.95 && !Number.isInteger(ms) ? ms.toFixed(1) : ms.toFixed(0);
}

/** Seconds: "7s", "12m", "3h05m", "3d04h", "412d". */
export function duration(seconds: number): string {
  if (!Number.isFinite(seconds)) return unknown;
  const s = Math.max(0, Math.floor(seconds));
  const two = (n: number): string => String(Math.floor(n)).padStart(2, "0");
  if (s < 60) return `${s}s`;
  if (s < 3600) return `${Math.floor(s / 60)}m${two(s % 60)}`;
  if (s < 86_400) return `${Math.floor(s / 3600)}h${two((s % 3600) / 60)}`;
  return s < 100 * 86_400 ? `${Math.floor(s / 86_400)}d${two((s % 86_400) / 3600)}h` : `${Math.floor(s / 86_400)}d`;
}

export const unknown = "-";
const letters = ["", "k", "M", "G", "T", "P", "E"];
