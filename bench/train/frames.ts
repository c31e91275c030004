import { nmnistSize } from "../../src/sensors/dvs/codecs/nmnist.ts";
import { Random } from "../../src/sensors/random.ts";
import type { BackendName } from "../../src/train/backends/backend-name.ts";
import { loadBackend } from "../../src/train/backends/load-backend.ts";
import { FrameCnn } from "../../src/train/frames/frame-cnn.ts";
import { interleave, ratioOf, spread, type Variant } from "../interleave.ts";
import type { Report } from "../report.ts";

const batchSize = 16;
/** The cpu backend takes a fifth of a second for each. */
const cpuBatchSize = 2;
const rounds = 3;
const eventsPerRecording = 4000;
const nsPerMs = 1e6;

/**
 * Forward and backward of the frame CNN of N-MNIST, pictures of 34 × 34 × 2, on the backends of
 * tfjs. On wasm the derivatives by the filters and of the pooling are ours.
 */
export async function benchFrames(report: Report): Promise<void> {
  const timings = await interleave(
    [await variant("wasm", batchSize), await variant("cpu", cpuBatchSize)],
    rounds,
  );
  for (const [name, values] of timings.cpu) {
    report.row(`frame CNN, tfjs ${name}`, "ms/picture", spread(values.map((ns) => ns / nsPerMs)));
  }
  report.ratio("frame CNN, cpu / wasm", ratioOf(timings, "cpu", "wasm", "cpu"));
}

async function variant(name: BackendName, sequences: number): Promise<Variant> {
  const tf = await loadBackend(name);
  const sizes = {
    frame: nmnistSize,
    kernels: 8,
    hidden: 256,
    outputs: 10,
    sequencesMax: sequences,
  };
  const random = new Random(1);
  const network = new FrameCnn(tf, sizes, random);
  const batch = network.beginBatch();
  for (let b = 0; b < sequences; b++) {
    for (let j = 0; j < eventsPerRecording; j++) {
      batch.pixel(j, random.below(nmnistSize.width * nmnistSize.height), random.below(2));
    }
    batch.endSequence(b % 10, 1);
  }
  return {
    name,
    events: sequences,
    run: async () => {
      await tf.setBackend(name);
      network.trainBatch(sequences);
    },
  };
}
