import { Observable } from "rxjs";

/** Emits once when `signal` is raised, at once if it has been. */
export function raised(signal: AbortSignal): Observable<void> {
  return new Observable((subscriber) => {
    const onAbort = (): void => subscriber.next();
    if (signal.aborted) onAbort();
    signal.addEventListener("abort", onAbort);
    return () => signal.removeEventListener("abort", onAbort);
  });
}
