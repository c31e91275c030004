/** A `*.test.yaml` file as it is after validation: every time in microseconds. */
export interface TestFile {
  /** Model directory or name; either this or `graph`. */
  readonly model?: string | undefined;
  /** A `graph.json` with seeded weights. */
  readonly graph?: string | undefined;
  readonly seed: number;
  readonly stream: string;
  readonly sensors: Readonly<Record<string, TestSensor>>;
  readonly late: TestLatePolicy;
  readonly limits: TestLimits;
  readonly tests: readonly TestCase[];
}

export interface TestSensor {
  readonly lateness: number;
  /** Not given: the sensor is never idle. */
  readonly idle?: number | undefined;
  readonly joined: boolean;
  readonly clock: "trusted" | "offset" | "offset+drift";
}

export interface TestLatePolicy {
  readonly policy: "drop" | "rewind" | "apply-late";
  /** How far back a rewind may go. */
  readonly horizon: number;
}

export interface TestLimits {
  readonly waiting: number;
  readonly future?: number | undefined;
  readonly backward?: number | undefined;
  readonly duplicates?: number | undefined;
}

export interface TestCase {
  readonly name: string;
  readonly input: readonly TestInput[];
  /** When the input ends; not given: with its last entry. */
  readonly until?: number | undefined;
  readonly expect: TestExpectations;
}

/** What arrives at a moment of the virtual clock. */
export type TestInput = {
  readonly at: number;
  /** Event time; not given: `at`. */
  readonly time?: number | undefined;
  /** Not given: one more than the sensor's last. */
  readonly seq?: number | undefined;
} & (
  | { readonly sensor: string; readonly values: readonly number[] }
  | { readonly sensor: string; readonly events: readonly TestDvsEvent[] }
  | { readonly sensor: string; readonly grey: number }
  | { readonly sensor: string; readonly status: "idle" | "left" | "joined" }
  | {
      readonly marker: "session-start" | "segment-start" | "segment-end";
      readonly label: string;
    }
  | { readonly sensor: string; readonly generate: TestWave }
  | { readonly recording: string }
);

/** Time after the packet's first event, x, y, and 1 for brighter or 0 for darker. */
export type TestDvsEvent = readonly [after: number, x: number, y: number, on: number];

/** Vectors in which every number is the same sample of a wave. */
export interface TestWave {
  readonly every: number;
  readonly count: number;
  readonly wave: "constant" | "ramp" | "sine" | "noise";
  readonly amplitude: number;
  readonly period: number;
  readonly seed: number;
}

export interface TestExpectations {
  /** All predictions, in the order in which they are said. */
  readonly predictions?: readonly ExpectedPrediction[] | undefined;
  readonly predictionCount?: number | undefined;
  readonly lastPrediction?: ExpectedPrediction | undefined;
  readonly taken?: number | undefined;
  readonly fused?: number | undefined;
  /** All reasons with their counts; a reason that is not named must not occur. */
  readonly dropped?: Readonly<Record<string, number>> | undefined;
  readonly anomalies?: Readonly<Record<string, number>> | undefined;
  readonly watermarks?: readonly ExpectedWatermark[] | undefined;
  /** All changes of status, in order. */
  readonly statuses?: readonly ExpectedStatus[] | undefined;
  /** The predictions that count in the end are those of this other test of the file. */
  readonly sameAs?: string | undefined;
}

/** What is given is compared. */
export interface ExpectedPrediction {
  readonly at?: number | undefined;
  readonly time?: number | undefined;
  readonly head?: string | undefined;
  readonly label?: string | undefined;
  readonly values?: readonly number[] | undefined;
  readonly tolerance: number;
  readonly revision?: number | undefined;
  readonly retracted?: boolean | undefined;
}

export interface ExpectedWatermark {
  readonly at: number;
  /** Undefined: there is none yet. */
  readonly is?: number | undefined;
}

export interface ExpectedStatus {
  readonly at?: number | undefined;
  readonly sensor: string;
  readonly is: "idle" | "left" | "joined";
}
