import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { Command } from "commander";
import { convEncoderOnnx } from "../../backends/onnx/conv-encoder-onnx.ts";
import { layerStepOnnx } from "../../backends/onnx/layer-step-onnx.ts";
import { chooseKernel } from "../../cells/kernels/choose-kernel.ts";
import { convStages } from "../../fusion/encoders/conv-frame-encoder.ts";
import { createFusionGraph } from "../../fusion/fusion-graph.ts";
import { PolyphaseError } from "../../sensors/polyphase-error.ts";
import type { StoredModel } from "../../state/model-directory.ts";
import { chooseModel } from "../load-model.ts";
import { wholeNumber } from "../model-options.ts";

interface ExportOptions {
  readonly out: string;
  readonly seed: number;
}

/** `polyphase model export`: one ONNX file for each layer's step and each video encoder. */
export function registerModelExport(model: Command): void {
  model
    .command("export")
    .description("write the parts of a model as ONNX for other runtimes")
    .argument("<model>", "model directory, shipped model or preset")
    .requiredOption("-o, --out <dir>", "folder for LAYER.onnx and SENSOR.onnx")
    .option("--seed <n>", "seed of a preset's untrained weights", wholeNumber, 1)
    .addHelpText(
      "after",
      `
LAYER.onnx is one step: x [1, I], h and c [1, H], and t (float64 [1], µs from the stream's origin)
where the gate depends on time, to nextH and nextC [1, H]. Every unit is computed: the same numbers
as here to 1e-6, without the work saved. SENSOR.onnx is the video encoder: frame [N, 1, height,
width] to code [N, size]. Merges, embeddings and heads are matrices in weights.safetensors.

Examples:
  polyphase model export nmnist --out onnx
  polyphase model export grid --out onnx`,
    )
    .action(async (name: string, options: ExportOptions) => {
      const { stored } = await chooseModel(name, options.seed);
      const files = onnxFiles(stored);
      try {
        await mkdir(options.out, { recursive: true });
        for (const [file, bytes] of files) await writeFile(join(options.out, file), bytes);
      } catch (cause) {
        const what = cause instanceof Error ? cause.message : String(cause);
        throw new PolyphaseError("FAILED", `Cannot export to ${options.out}: ${what}`, { cause });
      }
      for (const file of files.keys()) process.stdout.write(`${join(options.out, file)}\n`);
    });
}

function onnxFiles({ spec, weights }: StoredModel): Map<string, Uint8Array> {
  const graph = createFusionGraph(spec, weights, chooseKernel("reference-f64").kernel);
  const files = new Map<string, Uint8Array>();
  for (const { spec: layer, parameters } of graph.layers) {
    files.set(`${layer.name}.onnx`, layerStepOnnx(parameters));
  }
  for (const sensor of spec.sensors) {
    if (sensor.kind !== "video") continue;
    const stages = convStages(sensor, weights);
    files.set(`${sensor.name}.onnx`, convEncoderOnnx(sensor.width, sensor.height, stages));
  }
  return files;
}
