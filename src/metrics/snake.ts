/** A counter's name as Prometheus writes names: "duplicateSyn" is "duplicate_syn". */
export function snake(name: string): string {
  return name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
}
