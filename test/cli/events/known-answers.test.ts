import { createHash } from "node:crypto";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { openEventSource } from "../../../src/cli/events/open-event-source.ts";
import { summarizeEvents } from "../../../src/cli/events/summarize-events.ts";
import { joinDvsPackets } from "../../../src/sensors/dvs/codecs/decode-whole.ts";
import type { DvsPacket } from "../../../src/sensors/dvs/dvs-packet.ts";

const folder = join(process.env["POLYPHASE_DATA"] ?? "../shared/data", "events");

const answers = {
  "tonic/sample.aedat4": {
    format: "aedat4",
    width: 320,
    height: 240,
    packets: 59,
    events: 111_954,
    on: 55_023,
    firstUs: 1605537493718345,
    lastUs: 1605537494308262,
    sums: { x: "18342405", y: "15105898" },
  },
  "tonic/sample_nmnist.bin": { format: "nmnist", width: 34, height: 34, events: 4325 },
  "tonic/sample_ncars.dat": { format: "dat", events: 2009 },
  "tonic/sample_aedat_header.aedat": { format: "aedat2", width: 346, height: 260, events: 0 },
  "faery/evt2.raw": {
    format: "evt2",
    width: 640,
    height: 480,
    events: 521_252,
    firstUs: 913_716_224,
    lastUs: 913_812_095,
    anomalies: {},
  },
  "expelliarmus/evt3_sample.raw": {
    format: "evt3",
    width: 1280,
    height: 720,
    events: 219_596,
    firstUs: 11_718_656,
    lastUs: 11_727_457,
    anomalies: {},
  },
  // The known sum of times, 4950000, counts nanoseconds.
  "ros-event-camera/test_data_mono_cd": {
    format: "rosbag2/mono",
    packets: 2,
    events: 100,
    sums: { t: "4950", x: "34450", y: "26450", p: "50" },
  },
  "event_camera_py/test_events_2_0.mcap": {
    format: "mcap/libcaer_cmp",
    width: 346,
    height: 260,
    packets: 100,
    on: 211_043,
    off: 360_223,
    anomalies: {},
  },
};

/** Digests of faery's tests, of t as u64, x and y as u16, on as u8. */
const evt2Digests = {
  t: "9855ba39c1baea31",
  x: "93fc6cff19b483fd",
  y: "07cfaef58e5fa71c",
  on: "d2b5e9c4047f4c43",
};

describe.skipIf(!existsSync(folder))(
  "summarizeEvents on public recordings (POLYPHASE_DATA)",
  () => {
    test.each(Object.entries(answers))("knows what %s holds", async (file, answer) => {
      const summary = await summarizeEvents(await openEventSource(join(folder, file)));
      expect(summary).toMatchObject(answer);
    });

    test("agrees with faery's digests of evt2.raw", async () => {
      const source = await openEventSource(join(folder, "faery/evt2.raw"));
      const packets: DvsPacket[] = [];
      // Each is valid until the next.
      for await (const packet of source.packets()) packets.push(joinDvsPackets([packet]));
      const { timeUs, x, y, on } = joinDvsPackets(packets);
      const t = BigUint64Array.from(timeUs, (time) => BigInt(time));
      expect({ t: sha3(t), x: sha3(x), y: sha3(y), on: sha3(on) }).toEqual(evt2Digests);
    });

    test("says of a container without events that it has none", async () => {
      const file = join(folder, "rosbag2-mcap/only_topics.mcap");
      await expect(openEventSource(file)).rejects.toThrow(/topic of event packets, got none/);
    });
  },
);

function sha3(data: NodeJS.ArrayBufferView): string {
  return createHash("sha3-224").update(data).digest("hex").slice(0, 16);
}
