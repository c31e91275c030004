import { readdirSync, readFileSync } from "node:fs";
import { createDvsDecoder } from "../../../../src/sensors/dvs/codecs/create-dvs-decoder.ts";
import { eventFormats } from "../../../../src/sensors/dvs/codecs/detect-event-format.ts";
import type { DvsDecoder } from "../../../../src/sensors/dvs/codecs/dvs-decoder.ts";
import { parseRosEventPacket } from "../../../../src/sensors/dvs/codecs/ros/event-packet.ts";
import { RosEventDecoder } from "../../../../src/sensors/dvs/codecs/ros/ros-event-decoder.ts";
import type { DvsPacket } from "../../../../src/sensors/dvs/dvs-packet.ts";
import { PacketMemory } from "../../../../src/sensors/dvs/packet-memory.ts";
import type { CodecEngine } from "../../../../src/sensors/dvs/wasm/codec-module.ts";
import { PolyphaseError } from "../../../../src/sensors/polyphase-error.ts";

const folder = new URL("../../../../fixtures/events/", import.meta.url);
const formats = [...eventFormats, "raw"] as const;

/** Whole numbers from a seed (linear congruential generator of Numerical Recipes). */
function createRandom(seed: number): (below: number) => number {
  let state = seed >>> 0;
  return (below) => {
    state = (Math.imul(1664525, state) + 1013904223) >>> 0;
    return Math.floor((state / 2 ** 32) * below);
  };
}

/** A CDR-serialized EventPacket with empty events, to be damaged. */
function rosMessage(encoding: string, events: Uint8Array): Uint8Array {
  const message = Buffer.alloc(64 + encoding.length + events.length);
  message[1] = 1;
  message.writeUInt32LE(480, 16);
  message.writeUInt32LE(640, 20);
  message.writeUInt32LE(encoding.length + 1, 44);
  message.write(encoding, 48, "latin1");
  const lengthAt = Math.ceil((48 + encoding.length + 2) / 4) * 4;
  message.writeUInt32LE(events.length, lengthAt);
  message.set(events, lengthAt + 4);
  return message;
}

/** Makes damaged inputs and checks what decoders do with them. */
export class EventFuzzer {
  readonly #files = readdirSync(folder)
    .filter((name) => !/\.(json|md)$/.test(name))
    .map((name) => new Uint8Array(readFileSync(new URL(name, folder))))
    .filter((bytes) => bytes.length < 4000);
  readonly #memory = new PacketMemory();

  /**
   * One damaged input through the decoder of one format: whole, without WebAssembly, and in pieces
   * with packets in memory that is used again.
   *
   * @returns `decoded` or `refused`; throws if a decoder fails otherwise, gives events outside the
   *   sensor or out of order, or another result in pieces or without WebAssembly
   */
  run(seed: number): "decoded" | "refused" {
    const random = createRandom(seed);
    const bytes = this.#damaged(random);
    if (random(8) === 0) return this.#runRos(random, bytes);
    const format = formats[random(formats.length)]!;
    const size = random(2) === 0 ? undefined : { width: 1 + random(700), height: 1 + random(500) };
    const create = (engine?: CodecEngine): DvsDecoder => createDvsDecoder(format, size, engine);
    const whole = outcome(create(), bytes, [bytes.length]);
    const plain = outcome(create("typescript"), bytes, [bytes.length]);
    if (whole !== plain) {
      throw new Error(`seed ${seed}: ${format} differs in TypeScript: ${whole} / ${plain}`);
    }
    const cuts = Array.from({ length: 1 + random(6) }, () => random(bytes.length + 1));
    const pieces = outcome(
      create(),
      bytes,
      [...cuts, bytes.length].sort((a, b) => a - b),
      this.#memory,
    );
    if (whole !== pieces) {
      throw new Error(`seed ${seed}: ${format} differs in pieces: ${whole} / ${pieces}`);
    }
    return whole.startsWith("BAD_DATA") ? "refused" : "decoded";
  }

  #damaged(random: (below: number) => number): Uint8Array {
    const original = this.#files[random(this.#files.length)]!;
    const bytes = original.slice(0, random(4) === 0 ? random(original.length + 1) : undefined);
    if (bytes.length === 0) return bytes;
    for (let edits = random(12); edits > 0; edits--) {
      const at = random(4) === 0 ? random(Math.min(bytes.length, 160)) : random(bytes.length);
      bytes[at] = random(3) === 0 ? [0, 0x7f, 0x80, 0xff][random(4)]! : random(256);
    }
    return bytes;
  }

  #runRos(random: (below: number) => number, bytes: Uint8Array): "decoded" | "refused" {
    const encoding = ["evt2", "evt3", "libcaer_cmp", "mono", "other"][random(5)]!;
    const message = rosMessage(encoding, bytes);
    if (random(2) === 0) message[random(message.length)] = random(256);
    const decoder = new RosEventDecoder();
    try {
      decoder.push(parseRosEventPacket(message));
    } catch (error) {
      return refusal(error);
    }
    let lastUs = Number.NEGATIVE_INFINITY;
    for (let packet = decoder.next(); packet; packet = decoder.next()) {
      lastUs = checkPacket(packet, lastUs);
    }
    return "decoded";
  }
}

function refusal(error: unknown): "refused" {
  if (error instanceof PolyphaseError && error.code === "BAD_DATA") return "refused";
  throw error;
}

/** Everything a decoder makes of `bytes`, as text; or the message of its refusal. */
function outcome(
  decoder: DvsDecoder,
  bytes: Uint8Array,
  cuts: readonly number[],
  memory?: PacketMemory,
): string {
  const texts: string[] = [];
  let lastUs = Number.NEGATIVE_INFINITY;
  let from = 0;
  try {
    for (const to of cuts) {
      decoder.push(bytes.subarray(from, to));
      from = to;
      if (to === bytes.length) decoder.end();
      for (let packet = decoder.next(memory); packet; packet = decoder.next(memory)) {
        lastUs = checkPacket(packet, lastUs);
        texts.push(packetText(packet), packet.discontinuity ?? "");
      }
      if (to === bytes.length) break;
    }
  } catch (error) {
    refusal(error);
    return `BAD_DATA after ${texts.length}`;
  }
  return `${texts.join("|")} ${JSON.stringify(decoder.anomalies)} ${decoder.triggers}`;
}

function packetText({ count, timeUs, x, y, on }: DvsPacket): string {
  const columns = [timeUs, x, y, on].map((column) => {
    let hash = 0;
    for (let i = 0; i < count; i++) hash = (Math.imul(hash, 31) + (column[i]! % 2 ** 31)) | 0;
    return hash;
  });
  return `${count}:${columns.join(",")}`;
}

/** @returns the last time of the packet */
function checkPacket(packet: DvsPacket, afterUs: number): number {
  const { count, width, height, timeUs, x, y, on } = packet;
  let lastUs = afterUs;
  for (let i = 0; i < count; i++) {
    const isInside = x[i]! < width && y[i]! < height && on[i]! <= 1;
    if (!isInside || !Number.isInteger(timeUs[i]!) || timeUs[i]! < lastUs) {
      throw new Error(
        `event ${i}: ${timeUs[i]} µs, ${x[i]}, ${y[i]}, ${on[i]} in ${width} × ${height}`,
      );
    }
    lastUs = timeUs[i]!;
  }
  if (count < 1 || count > 16_384) throw new Error(`a packet of ${count} events`);
  return lastUs;
}
