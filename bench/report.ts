import { cpus, loadavg, release, totalmem } from "node:os";
import { type Clock, ratioOf, type Spread, spread, type Timings } from "./interleave.ts";

export interface Row extends Spread {
  readonly name: string;
  readonly unit: string;
}

export interface Ratio extends Spread {
  readonly name: string;
}

export interface Machine {
  readonly cpu: string;
  readonly cores: number;
  readonly memoryGiB: number;
  readonly os: string;
  readonly node: string;
  readonly v8: string;
  /** One-minute load average when the run began: figures of a busy machine are worth less. */
  readonly load: number;
}

/** Figures of one run. */
export class Report {
  readonly machine: Machine = describeMachine();
  readonly rows: Row[] = [];
  readonly ratios: Ratio[] = [];

  row(name: string, unit: string, figures: Spread): void {
    this.rows.push({ name, unit, ...rounded(figures) });
    console.log(`${name.padEnd(34)} ${show(figures)} ${unit}`);
  }

  ratio(name: string, figures: Spread): void {
    this.ratios.push({ name, ...rounded(figures) });
    console.log(`${name.padEnd(34)} ${show(figures)} ×`);
  }

  /** One row per variant. */
  rowsOf(timings: Timings, shape: string, clock: Clock = "cpu"): void {
    for (const [name, values] of timings[clock]) {
      this.row(`${name}:${shape}`, clock === "cpu" ? "ns/event" : "ns/event wall", spread(values));
    }
  }

  ratioOf(
    name: string,
    timings: Timings,
    above: string,
    below: string,
    clock: Clock = "cpu",
  ): void {
    this.ratio(name, ratioOf(timings, above, below, clock));
  }
}

function rounded({ value, low, high }: Spread): Spread {
  const round = (x: number): number => Number(x.toPrecision(4));
  return { value: round(value), low: round(low), high: round(high) };
}

function show({ value, low, high }: Spread): string {
  const text = (x: number): string => Number(x.toPrecision(3)).toString();
  return `${text(value).padStart(8)}  (${text(low)} … ${text(high)})`;
}

function describeMachine(): Machine {
  const all = cpus();
  return {
    cpu: all[0]?.model.trim() ?? "unknown",
    cores: all.length,
    memoryGiB: Math.round(totalmem() / 2 ** 30),
    os: `${process.platform} ${release()} ${process.arch}`,
    node: process.versions.node,
    v8: process.versions.v8,
    load: Number(loadavg()[0]?.toFixed(2)),
  };
}
