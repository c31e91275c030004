/** Not before: what is over at once needs no progress. */
const silentMs = 1_000;
const everyMs = 200;

/** How far a long reading is, in one line on stderr; says nothing where stderr is no terminal. */
export class FileProgress {
  readonly #what: string;
  readonly #startMs = Date.now();
  #saidMs = 0;

  /** @param what is done, e.g. `info day1.mcap` */
  constructor(what: string) {
    this.#what = what;
  }

  /** Takes note that `bytes` of `ofBytes` are done. */
  report(bytes: number, ofBytes: number): void {
    const nowMs = Date.now();
    if (process.stderr.isTTY !== true || nowMs - this.#startMs < silentMs) return;
    if (nowMs - this.#saidMs < everyMs) return;
    this.#saidMs = nowMs;
    const share = ofBytes === 0 ? 1 : bytes / ofBytes;
    const leftS = ((nowMs - this.#startMs) / 1000) * (1 / Math.max(share, 1e-3) - 1);
    process.stderr.write(
      `\r\x1b[K${this.#what}: ${(100 * share).toFixed(0)} %, ${leftS.toFixed(0)} s to go`,
    );
  }

  /** Removes the line. */
  end(): void {
    if (this.#saidMs > 0) process.stderr.write("\r\x1b[K");
  }
}
