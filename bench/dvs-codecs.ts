// Speed of the event-camera decoders on one core, from bytes in memory to packets:
//
//   npx tsx bench/dvs-codecs.ts [--seconds 2]
//
// Input: seeded events through our encoders and, where POLYPHASE_DATA has them, public recordings.
// Figures are medians of CPU time, so that a busy machine disturbs them less. The last column is
// the ratio to a plain loop over the same number of EVT 2.0 words in the same run.
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { packetOf, seededEvents } from "../fixtures/generate/events/seeded-events.ts";
import { createDvsDecoder } from "../src/sensors/dvs/codecs/create-dvs-decoder.ts";
import {
  createDvsEncoder,
  encodableFormats,
} from "../src/sensors/dvs/codecs/create-dvs-encoder.ts";
import type { DvsDecoder } from "../src/sensors/dvs/codecs/dvs-decoder.ts";
import { type DvsPacket, dvsPacketView } from "../src/sensors/dvs/dvs-packet.ts";
import { createBackgroundActivityFilter } from "../src/sensors/dvs/filters/background-activity.ts";
import { createRefractoryFilter } from "../src/sensors/dvs/filters/refractory.ts";
import { PacketMemory } from "../src/sensors/dvs/packet-memory.ts";
import type { CodecEngine } from "../src/sensors/dvs/wasm/codec-module.ts";

const { values } = parseArgs({ options: { seconds: { type: "string", default: "2" } } });
const secondsPerCase = Number(values.seconds);
const size = { width: 640, height: 480 };

interface Case {
  readonly name: string;
  readonly bytes: number;
  /** Decodes everything once; gives the number of events. */
  run(): number;
}

const chunkBytes = 256 * 1024;

/** As a file is read: one buffer, filled again and again. */
function decodeAll(decoder: DvsDecoder, bytes: Uint8Array, memory?: PacketMemory): number {
  let events = 0;
  for (let at = 0; at <= bytes.length; at += chunkBytes) {
    decoder.push(bytes.subarray(at, at + chunkBytes));
    if (at + chunkBytes > bytes.length) decoder.end();
    for (let packet = decoder.next(memory); packet; packet = decoder.next(memory)) {
      events += packet.count;
    }
  }
  return events;
}

/** Packets in memory that is used again, as the commands take them, or in memory of their own. */
function decoding(
  name: string,
  bytes: Uint8Array,
  create: () => DvsDecoder,
  memory?: PacketMemory,
): Case {
  return { name, bytes: bytes.length, run: () => decodeAll(create(), bytes, memory) };
}

const packet = packetOf(seededEvents(7, 400_000, [size.width, size.height]), [
  size.width,
  size.height,
]);

/** EVT 2.0 without headers, packets, checks or wraps: what the machine has to give. */
function plainLoop(words: Uint32Array): Case {
  const timeUs = new Float64Array(words.length);
  const x = new Uint16Array(words.length);
  const y = new Uint16Array(words.length);
  const on = new Uint8Array(words.length);
  return {
    name: "plain EVT 2.0 loop",
    bytes: words.byteLength,
    run: () => {
      let count = 0;
      let baseUs = 0;
      for (const word of words) {
        const type = word >>> 28;
        if (type === 8) baseUs = (word & 0xfffffff) * 64;
        if (type > 1) continue;
        timeUs[count] = baseUs + ((word >>> 22) & 63);
        x[count] = (word >>> 11) & 0x7ff;
        y[count] = word & 0x7ff;
        on[count] = type;
        count++;
      }
      return count;
    },
  };
}

function cases(): Case[] {
  const evt2 = createDvsEncoder("evt2", size).encode(packet);
  const list: Case[] = [plainLoop(new Uint32Array(evt2.buffer, 0, evt2.length >> 2))];
  for (const format of encodableFormats) {
    const target = format === "nmnist" ? { width: 128, height: 128 } : size;
    const encoder = createDvsEncoder(format, target);
    const source = format === "nmnist" ? folded(packet, 128) : packet;
    const bytes = Buffer.concat([encoder.header(), encoder.encode(source)]);
    list.push(decoding(`${format}, seeded`, bytes, () => createDvsDecoder(format, target)));
  }
  list.push(...recordings(), ...filters());
  return list;
}

function folded(from: DvsPacket, side: number): DvsPacket {
  const within = (at: number): number => at % side;
  return { ...from, width: side, height: side, x: from.x.map(within), y: from.y.map(within) };
}

function recordings(): Case[] {
  const folder = join(process.env["POLYPHASE_DATA"] ?? "../shared/data", "events");
  const files = [
    ["faery/evt2.raw", "raw"],
    ["expelliarmus/evt3_sample.raw", "raw"],
    ["tonic/sample.aedat4", "aedat4"],
    ["tonic/sample_ncars.dat", "dat"],
  ] as const;
  return files
    .filter(([file]) => existsSync(join(folder, file)))
    .flatMap(([file, format]) => {
      const bytes = readFileSync(join(folder, file));
      const create = (engine: CodecEngine) => () => createDvsDecoder(format, undefined, engine);
      return [
        decoding(file, bytes, create("wasm"), new PacketMemory()),
        decoding(`${file}, packets to keep`, bytes, create("wasm")),
        decoding(`${file}, TypeScript`, bytes, create("typescript"), new PacketMemory()),
      ];
    });
}

function filters(): Case[] {
  const parts: DvsPacket[] = [];
  for (let at = 0; at < packet.count; at += 16_384) {
    parts.push(dvsPacketView(packet, at, Math.min(at + 16_384, packet.count)));
  }
  const bytes = packet.count * 13;
  return [
    {
      name: "refractory filter",
      bytes,
      run: () => {
        const filter = createRefractoryFilter(size, 1000);
        for (const part of parts) filter.apply(part);
        return filter.counts.events;
      },
    },
    filtering("background activity filter", "wasm"),
    filtering("background activity, TypeScript", "typescript"),
  ];

  function filtering(name: string, engine: CodecEngine): Case {
    const memory = new PacketMemory();
    const run = (): number => {
      const filter = createBackgroundActivityFilter(size, { supportUs: 5000 }, engine);
      for (const part of parts) filter.apply(part, memory);
      return filter.counts.events;
    };
    return { name, bytes, run };
  }
}

/** Median CPU seconds of one run, of runs for `secondsPerCase` after a warm-up of a quarter. */
function medianSeconds(run: () => number): number {
  const seconds: number[] = [];
  const begun = performance.now();
  for (let elapsed = 0; elapsed < secondsPerCase * 1000; elapsed = performance.now() - begun) {
    const before = process.cpuUsage();
    let runs = 0;
    for (const until = performance.now() + 20; performance.now() < until; runs++) run();
    const { user, system } = process.cpuUsage(before);
    if (elapsed > secondsPerCase * 250) seconds.push((user + system) / 1e6 / runs);
  }
  seconds.sort((a, b) => a - b);
  return seconds[seconds.length >> 1]!;
}

let plainRate = 0;
for (const { name, bytes, run } of cases()) {
  const events = run();
  const seconds = medianSeconds(run);
  const rate = events / seconds / 1e6;
  plainRate ||= rate;
  const megabytes = bytes / seconds / 1e6;
  console.log(
    `${name.padEnd(40)} ${rate.toFixed(1).padStart(8)} Mev/s ${megabytes.toFixed(0).padStart(6)} MB/s ${(rate / plainRate).toFixed(2).padStart(6)} ×`,
  );
}
