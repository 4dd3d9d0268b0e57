/**
 * Unix milliseconds as ISO 8601 text (RFC 3339), computed rather than asked of Date, which belongs to the clocks a core must not touch.
 * Days to civil date: the proleptic Gregorian calendar in eras of 400 years, years beginning in March.
 */

/** "2026-11-21T12:00:00.000Z"; `unixMs` 0…253,402,300,799,999. Fractions are rounded. */
export function isoDate(unixMs: number): string {
  const ms = Math.round(unixMs);
  const day = Math.floor(ms / DAY_MS);
  const inDay = ms - day * DAY_MS;
  const sinceEra0 = day + DAYS_TO_1970;
  const era = Math.floor(sinceEra0 / ERA_DAYS);
  const dayOfEra = sinceEra0 - era * ERA_DAYS;
  const yearOfEra = Math.floor(
    (dayOfEra - Math.floor(dayOfEra / 1460) + Math.floor(dayOfEra / 36_524) - Math.floor(dayOfEra / 146_096)) / 365,
  );
  const dayOfYear = dayOfEra - (365 * yearOfEra + Math.floor(yearOfEra / 4) - Math.floor(yearOfEra / 100));
  const fromMarch = Math.floor((5 * dayOfYear + 2) / 153);
  const dayOfMonth = dayOfYear - Math.floor((153 * fromMarch + 2) / 5) + 1;
  const month = fromMarch < 10 ? fromMarch + 3 : fromMarch - 9;
  const year = yearOfEra + era * 400 + (month <= 2 ? 1 : 0);
  const time = `${two(Math.floor(inDay / 3_600_000))}:${two(Math.floor(inDay / 60_000) % 60)}:${two(Math.floor(inDay / 1000) % 60)}`;
  return `${String(year).padStart(4, "0")}-${two(month)}-${two(dayOfMonth)}T${time}.${String(inDay % 1000).padStart(3, "0")}Z`;
}

function two(value: number): string {
  return String(value).padStart(2, "0");
}

const DAY_MS = 86_400_000;
const ERA_DAYS = 146_097;
/** From 0000-03-01 to 1970-01-01. */
const DAYS_TO_1970 = 719_468;
