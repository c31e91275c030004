/**
 * A run of events that carry their own times: where it starts from, where it writes, where it got
 * to. src/sensors/dvs/wasm/address-run.ts writes and reads the fields in this order.
 */
@unmanaged
export class AddressRun {
  /** Columns, as in WordRun. */
  timeUs: usize;
  x: usize;
  y: usize;
  on: usize;
  ones: usize;
  width: u32;
  height: u32;
  /** Stop once this many events have been written. */
  room: u32;
  /** Events written. */
  count: u32;
  /** Clock reading of the last event, µs. */
  rawUs: f64;
  /** Readings may go forward by this much at a time, µs. */
  stepMaxUs: f64;
  /** Event time minus reading, µs. */
  offsetUs: f64;
  /** Time of the event before, µs. */
  lastUs: f64;
}
