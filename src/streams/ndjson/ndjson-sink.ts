import { createHash, type Hash } from "node:crypto";
import { once } from "node:events";
import type { Writable } from "node:stream";
import type { Prediction } from "../../fusion/prediction.ts";
import { PolyphaseError } from "../../sensors/polyphase-error.ts";
import type { Sink } from "../sink.ts";
import { linesOfStreams } from "./lines-of-streams.ts";

/** Writes one JSON object per line and keeps the digest by which two runs are compared. */
export class NdjsonSink implements Sink {
  readonly #out: Writable | undefined;
  readonly #check: ((text: string) => void) | undefined;
  readonly #hashes = new Map<string, Hash>();
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
    return this.#put(text, text, predictions.length);
  }

  /** Writes predictions that are lines already, each with its end, in UTF-8. */
  writeLines(lines: Uint8Array, predictions: number): void | Promise<void> {
    if (predictions === 0) return;
    return this.#put(lines, new TextDecoder().decode(lines), predictions);
  }

  #put(lines: string | Uint8Array, text: string, predictions: number): void | Promise<void> {
    this.#check?.(text);
    this.#written += predictions;
    for (const part of linesOfStreams(text)) this.#hashOf(part.stream).update(part.text);
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

  #hashOf(stream: string): Hash {
    let hash = this.#hashes.get(stream);
    if (hash === undefined) {
      hash = createHash("sha256");
      this.#hashes.set(stream, hash);
    }
    return hash;
  }

  /**
   * sha256 of all lines written so far, hex. Of several streams: of a line `"<stream>" <sha256 of its
   * lines>` for each, in order of their names, so that it does not depend on who speaks first.
   */
  digest(): string {
    const digests = [...this.#hashes].map(([stream, hash]) => {
      return [stream, hash.copy().digest("hex")] as const;
    });
    if (digests.length === 1) return digests[0]![1];
    const sorted = digests.sort(([a], [b]) => (a < b ? -1 : 1));
    const lines = sorted.map(([stream, digest]) => `${stream} ${digest}\n`);
    return createHash("sha256").update(lines.join("")).digest("hex");
  }
}

function writeError(cause: unknown): PolyphaseError {
  const what = cause instanceof Error ? cause.message : String(cause);
  return new PolyphaseError("FAILED", `Cannot write predictions: ${what}`, { cause });
}
