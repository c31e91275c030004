import { AddressRun } from "./address-run";

const EVENT_BYTES: usize = 16;

/**
 * Regular events of AEDAT 4, see src/sensors/dvs/codecs/inivation/aedat4-decoder.ts: on the sensor,
 * not before the one before, nor later by more than `stepMaxUs`.
 *
 * @param from address of the first event
 * @param end address behind the last one
 * @returns address of the first event that is not regular, or for which there is no room
 */
export function aedat4(run: AddressRun, from: usize, end: usize): usize {
  const width = run.width;
  const height = run.height;
  const room = run.room;
  const stepMaxUs = run.stepMaxUs;
  const offsetUs = run.offsetUs;
  let rawUs = run.rawUs;
  let lastUs = run.lastUs;
  let count: u32 = 0;
  let at = from;
  for (; at < end && count < room; at += EVENT_BYTES) {
    const nextUs = <f64>load<i64>(at);
    const x = <u32>load<u16>(at, 8);
    const y = <u32>load<u16>(at, 10);
    const stepUs = nextUs - rawUs;
    const eventUs = nextUs + offsetUs;
    if (!(stepUs >= 0 && stepUs <= stepMaxUs) || x >= width || y >= height) break;
    // A damaged reading may be so large that the sum, which is rounded, comes out before it.
    if (eventUs < lastUs) break;
    rawUs = nextUs;
    lastUs = eventUs;
    store<f64>(run.timeUs + (<usize>count << 3), eventUs);
    store<u16>(run.x + (<usize>count << 1), x);
    store<u16>(run.y + (<usize>count << 1), y);
    store<u8>(run.on + count, load<u8>(at, 12) != 0);
    count++;
  }
  run.rawUs = rawUs;
  run.count = count;
  return at;
}
