import type { ScalarEvent } from "../sensors/sensor-event.ts";
import { messageType, schemaNames } from "./schema.ts";
import { checkValues } from "./vector-values.ts";
import type { WireChannel } from "./wire-channel.ts";
import {
  type Bits64,
  checkTimeUs,
  sequenceToNumber,
  timestampFromUs,
  timestampToUs,
  type WireTimestamp,
} from "./wire-time.ts";

interface ScalarFrameMessage {
  readonly timestamp: WireTimestamp | null;
  readonly seq: Bits64;
  readonly values: readonly number[];
}

const schemaName = schemaNames.scalarFrame;
const type = messageType(schemaName);

/** polyphase.v1.ScalarFrame of one vector of plain numbers. */
export function encodeScalarFrame(event: ScalarEvent): Uint8Array {
  checkTimeUs("encode", schemaName, "timeUs", event.timeUs);
  checkValues("encode", schemaName, event.values, undefined);
  return type
    .encode({
      timestamp: timestampFromUs(event.timeUs),
      sensor_id: event.sensor,
      seq: event.seq,
      values: event.values,
    })
    .finish();
}

/** One vector of plain, finite numbers. */
export function decodeScalarFrame(bytes: Uint8Array, channel: WireChannel): ScalarEvent {
  const message = type.decode(bytes) as unknown as ScalarFrameMessage;
  const values = Float32Array.from(message.values);
  checkValues("decode", schemaName, values, channel.size);
  return {
    kind: "scalar",
    stream: channel.stream,
    sensor: channel.sensor,
    timeUs: timestampToUs(schemaName, "timestamp", message.timestamp),
    seq: sequenceToNumber(schemaName, message.seq),
    values,
  };
}
