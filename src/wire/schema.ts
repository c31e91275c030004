import protobuf from "protobufjs";
import descriptor from "protobufjs/ext/descriptor.js";

/** Names of the message types this library reads and writes. */
export const schemaNames = {
  eventPacket: "polyphase.v1.EventPacket",
  featureFrame: "polyphase.v1.FeatureFrame",
  scalarFrame: "polyphase.v1.ScalarFrame",
  rawImage: "foxglove.RawImage",
  compressedImage: "foxglove.CompressedImage",
  marker: "polyphase.Marker",
  status: "polyphase.SensorStatus",
  watermark: "polyphase.Watermark",
  keyframe: "polyphase.Keyframe",
  clockMap: "polyphase.ClockMap",
  decision: "polyphase.Decision",
} as const;

/** The field set of EventPacket follows ROS event_camera_msgs/EventPacket: a bridge is a rename. */
const polyphaseProto = `
syntax = "proto3";
package polyphase.v1;

message EventPacket {
  google.protobuf.Timestamp timestamp = 1; // host-aligned time of the first event
  string sensor_id = 2;
  uint32 width = 3;
  uint32 height = 4;
  uint64 seq = 5;          // +1 per packet per sensor; a gap is a loss
  fixed64 time_base = 6;   // sensor clock, nanoseconds, that dt[0] is relative to
  string encoding = 7;     // "soa1"; read also "evt2", "evt3"
  uint32 count = 8;        // events in the packet; 0 with evt2, evt3: not counted
  bytes events = 9;
  bool is_bigendian = 10;
}

message FeatureFrame {
  google.protobuf.Timestamp timestamp = 1; // centre of the analysis window
  string sensor_id = 2;
  uint64 seq = 3;
  string convention = 4;   // how values were computed, e.g. "mfcc39/psf-hamming/v1"
  fixed64 available_ns = 5; // time at which every sample the vector needs existed
  repeated float values = 6;
}

message ScalarFrame {
  google.protobuf.Timestamp timestamp = 1;
  string sensor_id = 2;
  uint64 seq = 3;
  repeated float values = 4;
}
`;

/** Field numbers and types as published in Foxglove's schema documentation. */
const foxgloveProto = `
syntax = "proto3";
package foxglove;

message RawImage {
  google.protobuf.Timestamp timestamp = 1;
  fixed32 width = 2;
  fixed32 height = 3;
  string encoding = 4;
  fixed32 step = 5;        // bytes per row
  bytes data = 6;
  string frame_id = 7;
}

message CompressedImage {
  google.protobuf.Timestamp timestamp = 1;
  bytes data = 2;
  string format = 3;       // "jpeg" | "png" | ...
  string frame_id = 4;
}
`;

const timestampFile = "google/protobuf/timestamp.proto";

function createRoot(): protobuf.Root {
  const root = new protobuf.Root();
  root.addJSON(protobuf.common.get(timestampFile)!.nested!);
  protobuf.parse(polyphaseProto, root, { keepCase: true });
  protobuf.parse(foxgloveProto, root, { keepCase: true });
  root.resolveAll();
  return root;
}

const root = createRoot();

/** The message type called `name`; encodes and decodes with fields named as in the schema. */
export function messageType(name: string): protobuf.Type {
  return root.lookupType(name);
}

/**
 * A serialized `FileDescriptorSet` from which a reader that knows nothing of polyphase can decode
 * the message type `name`: a file with it alone, and before it the file of its one dependency.
 * Alone, so that recordings keep their bytes when this library learns another type.
 */
export function fileDescriptorSet(name: string): Uint8Array {
  const packageName = name.slice(0, name.lastIndexOf("."));
  const { file: files } = root.toDescriptor("proto3");
  const fileOf = (wanted: string) => files!.find((file) => file.package === wanted)!;
  const file = fileOf(packageName);
  // protobufjs names files after their package and records no dependencies; protoc wants both.
  const timestamp = { ...fileOf("google.protobuf"), name: timestampFile };
  const own = {
    ...file,
    messageType: file.messageType!.filter((type) => `${packageName}.${type.name}` === name),
    name: `${packageName.replaceAll(".", "/")}.proto`,
    dependency: [timestampFile],
  };
  return descriptor.FileDescriptorSet.encode({ file: [timestamp, own] }).finish();
}
