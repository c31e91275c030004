// Event camera to recording on one core: EVT 3.0 → background activity filter → soa1 → MCAP.
//
//   npx tsx bench/event-pipeline.ts [--rounds 9] [--times 10]
//
// Input: a public recording where POLYPHASE_DATA has it, else seeded events, some times one after the other,
// in memory, pushed in pieces of 256 KiB. The recording goes to a temporary file in packets of up to 1,000 events.
// Packets lie in memory that is used again, as the event commands take them.
// Figures: CPU time of all threads per event that went in, median, quartiles and the least, and the
// ratio of the whole to its decoding alone in the same round.
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { packetOf, seededEvents } from "../fixtures/generate/events/seeded-events.ts";
import { createDvsEncoder } from "../src/sensors/dvs/codecs/create-dvs-encoder.ts";
import { createRawDecoder } from "../src/sensors/dvs/codecs/prophesee/raw-decoder.ts";
import { type DvsPacket, dvsPacketView } from "../src/sensors/dvs/dvs-packet.ts";
import { createBackgroundActivityFilter } from "../src/sensors/dvs/filters/background-activity.ts";
import { PacketMemory } from "../src/sensors/dvs/packet-memory.ts";
import { createRecording } from "../src/streams/record/recording-writer.ts";
import { encodeItem } from "../src/wire/item-codec.ts";
import { livePacketLimits, splitDvsPacket } from "../src/wire/split-dvs-packet.ts";
import { interleave, ratioOf, spread, type Variant } from "./interleave.ts";

const { values } = parseArgs({
  options: {
    rounds: { type: "string", default: "9" },
    times: { type: "string", default: "10" },
  },
});
const size = { width: 1280, height: 720 };
const supportUs = 5000;
const chunkBytes = 256 * 1024;

/** One recording of words, without its header. */
function words(): Uint16Array {
  const folder = join(process.env["POLYPHASE_DATA"] ?? "../shared/data", "events");
  const path = join(folder, "expelliarmus/evt3_sample.raw");
  const { width, height } = size;
  const bytes = existsSync(path)
    ? readFileSync(path)
    : createDvsEncoder("evt3", size).encode(
        packetOf(seededEvents(7, 200_000, [width, height]), [width, height]),
      );
  let at = 0;
  while (bytes[at] === percent && bytes[at + 1] === space) at = bytes.indexOf(newline, at) + 1;
  const payload = bytes.slice(at, at + ((bytes.length - at) & ~1));
  return new Uint16Array(new Uint8Array(payload).buffer);
}
const percent = 0x25;
const space = 0x20;
const newline = 0x0a;

/** The recording again and again, each time later by whole steps of TIME_HIGH. */
function input(times: number): Uint8Array {
  const once = words();
  const isTimeHigh = (word: number): boolean => word >>> 12 === 8;
  const highs = once.filter(isTimeHigh);
  const stepOfOne = ((highs.at(-1)! - highs[0]!) & 0xfff) + 1;
  const all = new Uint16Array(once.length * times);
  for (let k = 0; k < times; k++) {
    const later = (word: number): number =>
      isTimeHigh(word) ? 0x8000 | ((word + k * stepOfOne) & 0xfff) : word;
    all.set(once.map(later), k * once.length);
  }
  return new Uint8Array(all.buffer);
}

const bytes = input(Number(values.times));

function* decode(memory?: PacketMemory): Generator<DvsPacket> {
  const decoder = createRawDecoder({ size, format: "evt3" });
  for (let at = 0; at < bytes.length; at += chunkBytes) {
    decoder.push(bytes.subarray(at, at + chunkBytes));
    for (let packet = decoder.next(memory); packet; packet = decoder.next(memory)) yield packet;
  }
  decoder.end();
  for (let packet = decoder.next(memory); packet; packet = decoder.next(memory)) yield packet;
}

const decoded = [...decode()];
const events = decoded.reduce((sum, packet) => sum + packet.count, 0);
const background = filter();
const filtered = decoded.map((packet) => background.apply(packet));
const folder = mkdtempSync(join(tmpdir(), "polyphase-bench-"));

function filter() {
  return createBackgroundActivityFilter(size, { supportUs });
}

function itemsOf(packet: DvsPacket) {
  const whole = dvsPacketView(packet, 0, packet.count);
  return [...splitDvsPacket(whole, livePacketLimits)].map((part) => {
    return {
      kind: "dvs",
      stream: "events",
      sensor: "dvs",
      timeUs: part.timeUs[0]!,
      seq: 0,
      packet: part,
    } as const;
  });
}

async function record(packets: Iterable<DvsPacket>, compression: "none" | "zstd"): Promise<void> {
  const writer = await createRecording(join(folder, "a.mcap"), { compression });
  for (const packet of packets) {
    for (const item of itemsOf(packet)) await writer.write(item, item.timeUs);
  }
  await writer.close();
}

function* decodeAndFilter(): Generator<DvsPacket> {
  const fresh = filter();
  const memory = new PacketMemory();
  for (const packet of decode(new PacketMemory())) yield fresh.apply(packet, memory);
}

function exhaust(packets: Iterable<DvsPacket>): void {
  for (const _ of packets);
}

function filterDecoded(): void {
  const fresh = filter();
  const memory = new PacketMemory();
  for (const packet of decoded) fresh.apply(packet, memory);
}

function encodeFiltered(): void {
  for (const packet of filtered) for (const item of itemsOf(packet)) encodeItem(item);
}

const variants: Variant[] = [
  { name: "decode", run: () => exhaust(decode(new PacketMemory())) },
  { name: "filter", run: filterDecoded },
  { name: "soa1", run: encodeFiltered },
  { name: "record", run: () => record(filtered, "none") },
  { name: "all", run: () => record(decodeAndFilter(), "none") },
  { name: "all, zstd", run: () => record(decodeAndFilter(), "zstd") },
].map((variant) => ({ ...variant, events }));

const timings = await interleave(variants, Number(values.rounds));
rmSync(folder, { recursive: true });
const kept = filtered.reduce((sum, packet) => sum + packet.count, 0);
console.log(`${events} events, ${kept} kept, ${bytes.length} bytes`);
for (const [name, figures] of timings.cpu) {
  const { value, low, high } = spread(figures);
  console.log(
    `${name.padEnd(10)} ${(1000 / value).toFixed(1).padStart(7)} Mev/s ${value.toFixed(1).padStart(6)} ns (${low.toFixed(1)} … ${high.toFixed(1)}, least ${Math.min(...figures).toFixed(1)})`,
  );
}
const { value } = ratioOf(timings, "all", "decode", "cpu");
console.log(`all against decode ${value.toFixed(2)} ×`);
