import type { FloatArray } from "../cells/kernels/kernel.ts";
import type { SensorEvent } from "../sensors/sensor-event.ts";

/** Turns the events of one sensor into the vectors its branch reads. */
export type Encoder = DirectEncoder | AheadEncoder;

/** Cheap enough for the step itself. */
export interface DirectEncoder {
  readonly mode: "direct";
  /** Length of a vector. */
  readonly size: number;
  /** How it computes, for reports: `features`, `address-embedding`, … */
  readonly name: string;
  /**
   * Checks once what no later code checks again.
   *
   * @throws {PolyphaseError} BAD_EVENT if the event is not of this sensor: kind, size, convention
   */
  validate(event: SensorEvent): void;
  /**
   * Writes the vector of one event.
   *
   * @param out [size]
   * @param index which event of a DVS packet; 0 for all other kinds
   */
  encode(out: FloatArray, event: SensorEvent, index: number): void;
}

/** Computed before the step, because it takes long or runs elsewhere: a CNN in onnxruntime. */
export interface AheadEncoder {
  readonly mode: "ahead";
  readonly size: number;
  readonly name: string;
  validate(event: SensorEvent): void;
  /** The vector [size] of an event that is not a DVS packet. */
  compute(event: SensorEvent): Promise<FloatArray>;
}
