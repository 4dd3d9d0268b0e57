/** Ctrl-C and SIGTERM: the first asks for an orderly stop, the second ends the process at once. */
export function onStop(stop: (signal: string) => void): () => void {
  let asked = false;
  const handler = (signal: string): void => {
    if (asked) process.exit(130);
    asked = true;
    stop(signal);
  };
  process.on("SIGINT", handler);
  process.on("SIGTERM", handler);
  return () => {
    process.off("SIGINT", handler);
    process.off("SIGTERM", handler);
  };
}
