import type { SensorSize } from "../../sensors/dvs/codecs/dvs-decoder.ts";
import { createNmnistDecoder, nmnistSize } from "../../sensors/dvs/codecs/nmnist.ts";
import { FileEventSource } from "./file-event-source.ts";
import { openFile } from "./open-file.ts";

/** Sensors whose recordings are published in this format, from small to large. */
const sizes: readonly SensorSize[] = [
  nmnistSize,
  { width: 128, height: 128 }, // DVS128 Gesture
  { width: 240, height: 180 }, // N-Caltech101
];
const largest: SensorSize = { width: 256, height: 240 };

/** The smallest known sensor that holds all events of a file that does not say its own. */
export async function scanNmnistSize(path: string): Promise<SensorSize> {
  const decoder = createNmnistDecoder(largest);
  const source = new FileEventSource(path, await openFile(path), "nmnist", decoder);
  let x = 0;
  let y = 0;
  for await (const packet of source.packets()) {
    for (let i = 0; i < packet.count; i++) {
      x = Math.max(x, packet.x[i]!);
      y = Math.max(y, packet.y[i]!);
    }
  }
  return sizes.find(({ width, height }) => x < width && y < height) ?? largest;
}
