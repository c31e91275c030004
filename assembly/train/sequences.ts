import { copyFloats } from "./floats";
import * as at from "./layout";

/** Writes v = [h, 0 …, 1, 0 …] of every sequence; the inputs between come with each event. */
export function beginSequences(layout: usize, sequences: i32): void {
  const units = at.units(layout);
  for (let b = 0; b < sequences; b++) {
    const v = at.viewOf(layout, b);
    memory.fill(v, 0, at.viewBytes(layout));
    copyFloats(v, at.stateH(layout) + ((b * units) << 2), units);
    store<f32>(v + ((units + at.inputs(layout)) << 2), 1);
  }
}

/** Whether h of event `n` of sequence b is put out. */
@inline
export function isRead(layout: usize, b: usize, n: i32): bool {
  return n >= load<i32>(at.readFrom(layout) + (b << 2));
}

/** Writes the inputs of event `n` behind h in the v of sequence b. */
@inline
export function writeInputs(layout: usize, b: usize, n: usize): void {
  const inputs = at.inputs(layout);
  const target = at.viewOf(layout, b) + (at.units(layout) << 2);
  copyFloats(target, at.x(layout) + ((n * inputs) << 2), inputs);
}
