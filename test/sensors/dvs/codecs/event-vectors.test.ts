import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { eventVectors } from "../../../../fixtures/generate/events/event-vectors.ts";
import {
  describeVector,
  digestFields,
  type VectorEntry,
} from "../../../../fixtures/generate/events/vector-manifest.ts";
import { createDvsDecoder } from "../../../../src/sensors/dvs/codecs/create-dvs-decoder.ts";
import { decodeWhole } from "../../../../src/sensors/dvs/codecs/decode-whole.ts";
import {
  detectEventFormat,
  type EventFormat,
} from "../../../../src/sensors/dvs/codecs/detect-event-format.ts";
import type { DvsDecoder } from "../../../../src/sensors/dvs/codecs/dvs-decoder.ts";
import type { DecodedDvsPacket } from "../../../../src/sensors/dvs/codecs/stream/packet-builder.ts";

const folder = new URL("../../../../fixtures/events/", import.meta.url);
const manifest = JSON.parse(readFileSync(new URL("manifest.json", folder), "utf8"));
const entries: readonly VectorEntry[] = manifest.vectors;
const read = (entry: VectorEntry): Uint8Array => readFileSync(new URL(entry.file, folder));

function decoderOf(entry: VectorEntry): DvsDecoder {
  const size = entry.sizeGiven ? { width: entry.width, height: entry.height } : undefined;
  const isNamed = entry.format.startsWith("evt") && !entry.sizeGiven;
  return createDvsDecoder(isNamed ? "raw" : (entry.format as EventFormat), size);
}

function eventsOf(packets: readonly DecodedDvsPacket[]): [number, number, number, number][] {
  return packets.flatMap(({ count, timeUs, x, y, on }) =>
    Array.from({ length: count }, (_, i): [number, number, number, number] => [
      timeUs[i]!,
      x[i]!,
      y[i]!,
      on[i]!,
    ]),
  );
}

function decodedAs(entry: VectorEntry, decoder: DvsDecoder, packets: readonly DecodedDvsPacket[]) {
  const events = eventsOf(packets);
  let at = 0;
  const starts = packets.map(({ count, discontinuity }) => {
    at += count;
    return discontinuity === undefined ? -1 : at - count;
  });
  return {
    ...entry,
    width: decoder.size.width,
    height: decoder.size.height,
    events: events.length,
    fields: digestFields(events),
    triggers: decoder.triggers,
    discontinuities: starts.filter((index) => index >= 0),
    anomalies: Object.fromEntries(Object.entries(decoder.anomalies).filter(([, n]) => n > 0)),
  };
}

describe("createDvsDecoder", () => {
  test.each(entries.map((entry) => [entry.file, entry] as const))(
    "decodes %s as the suite says",
    (_, entry) => {
      const decoder = decoderOf(entry);
      expect(decodedAs(entry, decoder, decodeWhole(decoder, read(entry)))).toEqual(entry);
    },
  );

  test.each(
    entries
      .filter((entry) => read(entry).length < 500)
      .map((entry) => [entry.file, entry] as const),
  )("gives the same packets of %s split at any byte", (_, entry) => {
    const bytes = read(entry);
    const whole = decodeWhole(decoderOf(entry), bytes);
    for (let split = 1; split < bytes.length; split++) {
      const decoder = decoderOf(entry);
      const packets: DecodedDvsPacket[] = [];
      decoder.push(bytes.subarray(0, split));
      for (let packet = decoder.next(); packet; packet = decoder.next()) packets.push(packet);
      packets.push(...decodeWhole(decoder, bytes.subarray(split)));
      expect(packets).toEqual(whole);
      expect(decoder.anomalies).toMatchObject(entry.anomalies);
    }
  });

  test.each(entries.map((entry) => [entry.file, entry] as const))(
    "gives the same packets of %s byte by byte",
    (_, entry) => {
      const bytes = read(entry);
      const decoder = decoderOf(entry);
      const packets: DecodedDvsPacket[] = [];
      for (const byte of bytes) {
        decoder.push(Uint8Array.of(byte));
        for (let packet = decoder.next(); packet; packet = decoder.next()) packets.push(packet);
      }
      packets.push(...decodeWhole(decoder, new Uint8Array(0)));
      expect(packets).toEqual(decodeWhole(decoderOf(entry), bytes));
    },
  );
});

test("detectEventFormat tells every vector that has a header", () => {
  for (const entry of entries.filter(({ file }) => !file.includes("no-header"))) {
    const format = detectEventFormat(read(entry), entry.file);
    expect([entry.file, format]).toEqual([
      entry.file,
      entry.format.startsWith("evt") ? "raw" : entry.format,
    ]);
  }
});

test("eventVectors are the committed files", async () => {
  const vectors = await eventVectors();
  expect(vectors.map(describeVector)).toEqual(entries);
  for (const entry of entries) {
    expect(createHash("sha256").update(read(entry)).digest("hex")).toBe(entry.sha256);
  }
});
