/**
 * Go's time layouts, as far as file names use them: the reference time Mon Jan 2 15:04:05 2006 written as the time is to be written.
 * Local time. Source: documentation of Go's package time, "Layout". Zones and fractions of a second are left as they stand.
 */
const months = ["January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November", "December"];
const days = ["Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday"];
const two = (n: number): string => String(n).padStart(2, "0");
const hour12 = (at: Date): number => at.getHours() % 12 || 12;

/** Longest first where one begins with another. "Jan" and "Mon" stand alone: "Month" and "Janet" are words. */
const chunks: Readonly<Record<string, (at: Date) => string>> = {
  January: (at) => months[at.getMonth()]!,
  "Jan(?![a-z])": (at) => months[at.getMonth()]!.slice(0, 3),
  Monday: (at) => days[at.getDay()]!,
  "Mon(?![a-z])": (at) => days[at.getDay()]!.slice(0, 3),
  "2006": (at) => String(at.getFullYear()).padStart(4, "0"),
  "01": (at) => two(at.getMonth() + 1),
  "02": (at) => two(at.getDate()),
  "03": (at) => two(hour12(at)),
  "04": (at) => two(at.getMinutes()),
  "05": (at) => two(at.getSeconds()),
  "06": (at) => two(at.getFullYear() % 100),
  "15": (at) => two(at.getHours()),
  PM: (at) => (at.getHours() < 12 ? "AM" : "PM"),
  pm: (at) => (at.getHours() < 12 ? "am" : "pm"),
  _2: (at) => String(at.getDate()).padStart(2, " "),
  "1": (at) => String(at.getMonth() + 1),
  "2": (at) => String(at.getDate()),
  "3": (at) => String(hour12(at)),
  "4": (at) => String(at.getMinutes()),
  "5": (at) => String(at.getSeconds()),
};

const order = Object.keys(chunks).sort((a, b) => b.length - a.length);
const writers = order.map((chunk) => chunks[chunk]!);
const pattern = new RegExp(order.map((chunk) => `(${chunk})`).join("|"), "g");

export function formatGoTime(layout: string, at: Date): string {
  return layout.replace(pattern, (found, ...groups) => {
    const index = groups.slice(0, order.length).indexOf(found);
    return writers[index]?.(at) ?? found;
  });
}
