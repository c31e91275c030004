/**
 * A run of EVT words: where it starts from, where it writes, where it got to.
 * src/sensors/dvs/wasm/word-run.ts writes and reads the fields in this order.
 */
@unmanaged
export class WordRun {
  /** Columns: f64, u16, u16 and u8 per event, with 16 events of slack behind `room`. */
  timeUs: usize;
  x: usize;
  y: usize;
  on: usize;
  /** The table of writeOnes(). */
  ones: usize;
  width: u32;
  height: u32;
  /** Stop once this many events have been written. */
  room: u32;
  /** Events written. */
  count: u32;
  /** Unwrapped time of `timeHigh`, µs. */
  baseUs: f64;
  /** Time of the last event before and, at the end, after the run, µs. */
  lastUs: f64;
  timeHigh: i32;
  /** TIME_HIGH may go forward by this much at a time. */
  timeHighStepMax: i32;
  /** EVT 3.0 alone. −1 stands for none. */
  timeLow: i32;
  camera: u32;
  row: i32;
  baseX: i32;
  baseOn: i32;
}
