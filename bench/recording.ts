// Cost per message of writing and reading recordings, and of the codecs alone, on one core.
// Run: npx tsx bench/recording.ts. Goals: read and decode <= 3 µs per MFCC vector; soa1 decode
// >= 150 Mev/s. `mcapIndexedReaderUs` is @mcap/core's reader on the same file, without decoding.
// CPU time, so that other work on the machine counts little. Prints one JSON line.
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { McapIndexedReader } from "@mcap/core";
import { createDvsPacket, type DvsPacket } from "../src/sensors/dvs/dvs-packet.ts";
import { PacketMemory } from "../src/sensors/dvs/packet-memory.ts";
import { Random } from "../src/sensors/random.ts";
import type { AudioEvent, DvsEvent } from "../src/sensors/sensor-event.ts";
import { createRecording } from "../src/streams/record/recording-writer.ts";
import { openMcap } from "../src/streams/replay/open-mcap.ts";
import { openRecording } from "../src/streams/replay/recording-reader.ts";
import { decodeItem, encodeItem } from "../src/wire/item-codec.ts";
import { schemaNames } from "../src/wire/schema.ts";
import { decodeSoa1, encodeSoa1 } from "../src/wire/soa1.ts";

const messages = 100_000;
const packetEvents = 1000;
const rounds = 7;
const random = new Random(1);
const channel = { stream: "scene", sensor: "audio" };

function audioEvent(seq: number): AudioEvent {
  const timeUs = seq * 10_000 + 12_500;
  return {
    ...channel,
    kind: "audio",
    timeUs,
    availableUs: timeUs + 52_500,
    seq,
    convention: "mfcc39/psf-hamming/v1",
    values: Float32Array.from({ length: 39 }, () => random.below(1000) / 7),
  };
}

function dvsPacket(): DvsPacket {
  const packet = createDvsPacket(640, 480, packetEvents);
  let timeUs = 1_700_000_000_000_000;
  for (let i = 0; i < packetEvents; i++) {
    timeUs += random.below(4);
    packet.timeUs[i] = timeUs;
    packet.x[i] = random.below(640);
    packet.y[i] = random.below(480);
    packet.on[i] = random.below(2);
  }
  return packet;
}

/** Median CPU time of `work` in µs. */
async function cpuUs(work: () => void | Promise<void>): Promise<number> {
  const runs: number[] = [];
  for (let round = 0; round < rounds; round++) {
    const before = process.cpuUsage();
    await work();
    const { user, system } = process.cpuUsage(before);
    runs.push(user + system);
  }
  return runs.toSorted((a, b) => a - b)[rounds >> 1]!;
}

const repeat = (times: number, work: () => void) => () => {
  for (let i = 0; i < times; i++) work();
};

async function main(): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), "polyphase-bench-"));
  const path = join(folder, "a.mcap");
  const events = Array.from({ length: messages }, (_, seq) => audioEvent(seq));
  const writeUs = await cpuUs(async () => {
    const recording = await createRecording(path);
    for (const event of events) await recording.write(event, event.availableUs);
    await recording.close();
  });
  const readUs = await cpuUs(async () => {
    const recording = await openRecording(path);
    for await (const _ of recording.items());
    await recording.close();
  });
  const indexedReaderUs = await cpuUs(async () => {
    const { file, readable, decompressHandlers } = await openMcap(path);
    const reader = await McapIndexedReader.Initialize({ readable, decompressHandlers });
    for await (const _ of reader.readMessages());
    await file.close();
  });
  rmSync(folder, { recursive: true });

  const frame = encodeItem(events[0]!);
  const name = schemaNames.featureFrame;
  const decodeUs = await cpuUs(
    repeat(messages, () => decodeItem(name, "protobuf", frame, channel, 0)),
  );
  const packet = dvsPacket();
  const soa1 = encodeSoa1(packet);
  const firstUs = packet.timeUs[0]!;
  const dvs: DvsEvent = { ...channel, kind: "dvs", timeUs: firstUs, seq: 0, packet };
  const packetBytes = encodeItem(dvs);
  const memory = new PacketMemory();
  const packets = 20_000;
  const mevPerSecond = async (work: () => unknown) =>
    Math.round((packets * packetEvents) / (await cpuUs(repeat(packets, work))));
  const perMessage = (us: number) => Number((us / messages).toFixed(2));
  console.log(
    JSON.stringify({
      bench: "recording",
      writeUs: perMessage(writeUs),
      readAndDecodeUs: perMessage(readUs),
      decodeUs: perMessage(decodeUs),
      mcapIndexedReaderUs: perMessage(indexedReaderUs),
      soa1EncodeMevPerSecond: await mevPerSecond(() => encodeSoa1(packet)),
      soa1DecodeMevPerSecond: await mevPerSecond(() =>
        decodeSoa1(soa1, packet, firstUs, { memory }),
      ),
      soa1DecodeToKeepMevPerSecond: await mevPerSecond(() => decodeSoa1(soa1, packet, firstUs)),
      eventPacketDecodeMevPerSecond: await mevPerSecond(() =>
        decodeItem(schemaNames.eventPacket, "protobuf", packetBytes, channel, 0),
      ),
    }),
  );
}

await main();
