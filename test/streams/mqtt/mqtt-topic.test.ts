import { describe, expect, it } from "vitest";
import {
  checkPrefix,
  parseTopic,
  streamTopic,
  topicFilter,
  topicOf,
} from "../../../src/streams/mqtt/mqtt-topic.ts";
import { itemSchema } from "../../../src/wire/item-codec.ts";
import { dvs, marker, scalar } from "../items.ts";

const prefix = "polyphase/sensors";

describe("MQTT topics", () => {
  it.each([scalar("imu", 1), dvs("eye", [1]), marker("session-start", 0)])(
    "lead back to the item: $kind",
    (item) => {
      const { name: schemaName, encoding } = itemSchema(item.kind);
      const sensor = item.kind === "marker" ? "markers" : item.sensor;
      expect(parseTopic(prefix, topicOf(prefix, item))).toEqual({
        stream: "s",
        sensor,
        schemaName,
        encoding,
      });
    },
  );

  it("keeps a name from reaching into other topics", () => {
    const item = { ...scalar("a/+/#", 1), stream: "../b/%2F" };
    const topic = topicOf(prefix, item);
    expect(topic.split("/")).toHaveLength(6);
    expect(topic).not.toMatch(/[+#]/);
    expect(parseTopic(prefix, topic)).toMatchObject({ stream: "../b/%2F", sensor: "a/+/#" });
  });

  it("subscribes to one stream or to all", () => {
    expect(topicFilter(prefix)).toBe("polyphase/sensors/+/+/+/+");
    expect(topicFilter(prefix, "a/b")).toBe("polyphase/sensors/a%2Fb/+/+/+");
    expect(streamTopic("p", "a b")).toBe("p/a%20b");
  });

  it.each([
    "polyphase/sensors/s/imu/scalars/json",
    "polyphase/sensors/s/imu/scalars",
    "polyphase/sensors/s//scalars/pb",
    "polyphase/sensors/%/imu/scalars/pb",
    "other/sensors/s/imu/scalars/pb",
    "polyphase/sensors/s/imu/__proto__/pb",
  ])("refuses %s", (topic) => {
    expect(() => parseTopic(prefix, topic)).toThrow(
      /the topic must be polyphase\/sensors\/<stream>/,
    );
  });

  it.each(["", "/a", "a/", "a//b", "a/+", "#", "$SYS/x"])("refuses the prefix %j", (bad) => {
    expect(() => checkPrefix(bad)).toThrow(/A topic prefix must be levels/);
  });
});
