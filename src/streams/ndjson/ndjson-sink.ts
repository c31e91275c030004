import { createHash, type Hash } from "node:crypto";
import { once } from "node:events";
import type { Writable } from "node:stream";
import type { Prediction } from "../../fusion/prediction.ts";
import { PolyphaseError } from "../../sensors/polyphase-error.ts";
import type { Sink } from "../sink.ts";

/**
 * Writes one JSON object per line and keeps the sha256 of all lines: the digest by which two runs
 * are compared.
 */
export class NdjsonSink implements Sink {
  readonly #out: Writable | undefined;
  readonly #check: ((text: string) => void) | undefined;
  readonly #hash: Hash = createHash("sha256");
  #written = 0;
  #failure: Error | undefined;

  /**
   * @param out where lines go; undefined to keep only the digest. The sink does not end it.
   * @param check sees the lines before they are written; what it throws is what writing fails with
   */
  constructor(out?: Writable, check?: (text: string) => void) {
    this.#out = out;
    this.#check = check;
    out?.on("error", (error) => {
      this.#failure = error;
    });
  }

  /** Predictions written. */
  get written(): number {
    return this.#written;
  }

  write(predictions: readonly Prediction[]): void | Promise<void> {
    if (predictions.length === 0) return;
    let text = "";
    for (const prediction of predictions) text += `${JSON.stringify(prediction)}\n`;
    this.#check?.(text);
    return this.#put(text, predictions.length);
  }

  /** Writes predictions that are lines already, each with its end, in UTF-8. */
  writeLines(lines: Uint8Array, predictions: number): void | Promise<void> {
    if (predictions === 0) return;
    this.#check?.(new TextDecoder().decode(lines));
    return this.#put(lines, predictions);
  }

  #put(lines: string | Uint8Array, predictions: number): void | Promise<void> {
    this.#written += predictions;
    this.#hash.update(lines);
    if (this.#failure !== undefined) throw writeError(this.#failure);
    if (this.#out === undefined || this.#out.write(lines)) return;
    return once(this.#out, "drain").then(
      () => undefined,
      (cause) => {
        throw writeError(cause);
      },
    );
  }

  async close(): Promise<void> {
    if (this.#failure !== undefined) throw writeError(this.#failure);
  }

  /** sha256 of all lines written so far, hex. */
  digest(): string {
    return this.#hash.copy().digest("hex");
  }
}

function writeError(cause: unknown): PolyphaseError {
  const what = cause instanceof Error ? cause.message : String(cause);
  return new PolyphaseError("FAILED", `Cannot write predictions: ${what}`, { cause });
}
