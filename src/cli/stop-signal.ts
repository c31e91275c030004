/**
 * Raised by the first Ctrl-C or SIGTERM: stop reading, drain, finish. A second one ends the process
 * at once.
 */
export function stopSignal(): AbortSignal {
  const controller = new AbortController();
  for (const signal of ["SIGINT", "SIGTERM"] as const) {
    process.once(signal, () => controller.abort());
  }
  return controller.signal;
}
