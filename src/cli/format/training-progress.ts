import type { TrainingReport } from "../../train/trainer/run-training.ts";
import { percent } from "./numbers.ts";

const barWidth = 24;

/** What a training run shows on stderr: a bar on a terminal, a line per validation elsewhere. */
export class TrainingProgress {
  readonly #name: string;
  #startMs = 0;
  #startBatch = -1;

  constructor(name: string) {
    this.#name = name;
  }

  report(report: TrainingReport): void {
    if (this.#startBatch < 0) {
      this.#startMs = Date.now();
      this.#startBatch = report.batch;
    }
    const line = this.#line(report);
    if (process.stderr.isTTY) process.stderr.write(`\r\x1b[K${line}`);
    else if (report.validation !== undefined) process.stderr.write(`${line}\n`);
  }

  end(): void {
    if (process.stderr.isTTY) process.stderr.write("\n");
  }

  #line(report: TrainingReport): string {
    const { batch, batches, loss, validation } = report;
    const done = Math.round((barWidth * batch) / batches);
    const bar = "█".repeat(done) + "░".repeat(barWidth - done);
    const parts = [`${this.#name} ${bar} ${batch}/${batches}`, `loss ${loss.toPrecision(4)}`];
    parts.push(`accuracy ${percent(report.accuracy)}`, `open ${percent(report.openFraction)}`);
    if (validation !== undefined) {
      parts.push(`validation ${validation.loss.toPrecision(4)}, ${percent(validation.accuracy)}`);
    }
    const batchesTimed = batch - this.#startBatch;
    if (batchesTimed > 0) {
      const msPerBatch = (Date.now() - this.#startMs) / batchesTimed;
      parts.push(`${msPerBatch.toFixed(1)} ms/batch`);
      parts.push(`${Math.round((msPerBatch * (batches - batch)) / 1000)} s to go`);
    }
    return parts.join("  ");
  }
}
