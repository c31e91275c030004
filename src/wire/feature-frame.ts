import type { AudioEvent } from "../sensors/sensor-event.ts";
import { badEvent } from "./bad-event.ts";
import { type FeatureFrame, readFeatureFrame } from "./read-feature-frame.ts";
import { messageType, schemaNames } from "./schema.ts";
import { checkValues } from "./vector-values.ts";
import type { WireChannel } from "./wire-channel.ts";
import {
  type Bits64,
  checkTimeUs,
  nanosecondsFromUs,
  nanosecondsToUs,
  sequenceToNumber,
  timestampFromUs,
  timestampToUs,
  type WireTimestamp,
} from "./wire-time.ts";

interface FeatureFrameMessage {
  readonly timestamp: WireTimestamp | null;
  readonly seq: Bits64;
  readonly convention: string;
  readonly available_ns: Bits64;
  readonly values: readonly number[];
}

const schemaName = schemaNames.featureFrame;
const type = messageType(schemaName);

/** polyphase.v1.FeatureFrame of one feature vector. */
export function encodeFeatureFrame(event: AudioEvent): Uint8Array {
  checkTimeUs("encode", schemaName, "timeUs", event.timeUs);
  checkTimeUs("encode", schemaName, "availableUs", event.availableUs);
  checkValues("encode", schemaName, event.values, undefined);
  return type
    .encode({
      timestamp: timestampFromUs(event.timeUs),
      sensor_id: event.sensor,
      seq: event.seq,
      convention: event.convention,
      available_ns: nanosecondsFromUs(event.availableUs),
      values: event.values,
    })
    .finish();
}

/** Of the latest message: what the next one is expected to have where its channel says nothing. */
let latestConvention = "";

/** One feature vector. Refuses an empty convention: features without one fit no model. */
export function decodeFeatureFrame(bytes: Uint8Array, channel: WireChannel): AudioEvent {
  const usual = channel.convention ?? latestConvention;
  const frame = readFeatureFrame(bytes, usual) ?? decodeAnyLayout(bytes);
  const { timeUs, seq, convention, availableUs, values } = frame;
  if (convention === "" || convention !== (channel.convention ?? convention)) {
    const expected = channel.convention ? JSON.stringify(channel.convention) : "not empty";
    throw badEvent("decode", schemaName, "convention", expected, JSON.stringify(convention));
  }
  checkValues("decode", schemaName, values, channel.size);
  latestConvention = convention;
  const { stream, sensor } = channel;
  return { kind: "audio", stream, sensor, timeUs, seq, convention, availableUs, values };
}

/** What protobuf allows but encoders do not write: unpacked numbers, unknown fields, … */
function decodeAnyLayout(bytes: Uint8Array): FeatureFrame {
  // Read one by one: fields that were absent have their defaults on the prototype.
  const message = type.decode(bytes) as unknown as FeatureFrameMessage;
  return {
    timeUs: timestampToUs(schemaName, "timestamp", message.timestamp),
    seq: sequenceToNumber(schemaName, message.seq),
    convention: message.convention,
    availableUs: nanosecondsToUs(schemaName, "available_ns", message.available_ns),
    values: Float32Array.from(message.values),
  };
}
