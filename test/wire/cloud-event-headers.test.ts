import { CloudEvent, Kafka, MQTT, type MQTTMessage } from "cloudevents";
import { expect, test } from "vitest";
import {
  cloudEventAttributes,
  kafkaHeaders,
  mqttProperties,
} from "../../src/wire/cloud-event-headers.ts";
import { encodeItem } from "../../src/wire/item-codec.ts";
import { audioEvent, dvsEvent, marker, scalarEvent, videoEvent } from "./stream-items.ts";

/** The items' time in the SDK's eyes: it keeps milliseconds only. */
const sdkTime = "2023-11-14T22:13:20.123Z";
const source = "/polyphase/scene";
const cropped = { ...videoEvent(3), convention: "crop/fixed-1,2,3,4/v1" };
const items = [audioEvent(3), videoEvent(3), cropped, dvsEvent(3), scalarEvent(3), marker(3)];

test("cloudEventAttributes name the item, its type and its time", () => {
  expect(cloudEventAttributes(dvsEvent(3), source)).toEqual({
    specversion: "1.0",
    id: "dvs:3",
    source,
    type: "io.polyphase.events.v1",
    time: "2023-11-14T22:13:20.123457Z",
    subject: "dvs",
  });
});

test.each(items.map((item) => [item.kind, item] as const))(
  "kafkaHeaders of %s are read by the CloudEvents SDK",
  (_, item) => {
    const headers = kafkaHeaders(item, source);
    const value = Buffer.from(encodeItem(item));
    const event = Kafka.toEvent({ headers, body: value, value } as never) as CloudEvent<unknown>;
    expect(event).toMatchObject({
      ...cloudEventAttributes(item, source),
      time: sdkTime,
      datacontenttype: headers["content-type"],
    });
  },
);

test.each(items.map((item) => [item.kind, item] as const))(
  "mqttProperties of %s are those of the CloudEvents SDK",
  (_, item) => {
    const { contentType, userProperties } = mqttProperties(item, source);
    const event = new CloudEvent({
      ...cloudEventAttributes(item, source),
      time: sdkTime,
      datacontenttype: contentType,
      data: "",
    });
    const message = MQTT.binary(event) as MQTTMessage<unknown>;
    expect(message.PUBLISH?.["Content Type"]).toBe(contentType);
    // The SDK repeats the content type among the properties and lists absent ones.
    const { datacontenttype: _type, ...expected } = message["User Properties"] as Record<
      string,
      unknown
    >;
    const present = Object.entries(expected).filter(([, value]) => value !== undefined);
    expect({ ...userProperties, time: sdkTime }).toEqual(Object.fromEntries(present));
  },
);

test("kafkaHeaders are all strings, as kafkajs demands", () => {
  for (const item of items) {
    for (const value of Object.values(kafkaHeaders(item, source)))
      expect(value).toBeTypeOf("string");
  }
});
