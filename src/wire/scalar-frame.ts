import type { ScalarEvent } from "../sensors/sensor-event.ts";
import { readScalarFrame, type ScalarFrame } from "./read-scalar-frame.ts";
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
  const { timeUs, seq, values } = readScalarFrame(bytes) ?? decodeAnyLayout(bytes);
  checkValues("decode", schemaName, values, channel.size);
  const { stream, sensor } = channel;
  return { kind: "scalar", stream, sensor, timeUs, seq, values };
}

/** What protobuf allows but encoders do not write: unpacked numbers, unknown fields, … */
function decodeAnyLayout(bytes: Uint8Array): ScalarFrame {
  // Read one by one: fields that were absent have their defaults on the prototype.
  const message = type.decode(bytes) as unknown as ScalarFrameMessage;
  return {
    timeUs: timestampToUs(schemaName, "timestamp", message.timestamp),
    seq: sequenceToNumber(schemaName, message.seq),
    values: Float32Array.from(message.values),
  };
}
