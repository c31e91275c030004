import { InferenceSession, Tensor } from "onnxruntime-node";
import { layerStepOnnx } from "../../src/backends/onnx/layer-step-onnx.ts";
import type { CreatePeer } from "./peer.ts";

/** onnxruntime-node, one call per event, the state fed back as the tensors it came in. */
export function createOnnxruntimeStep(threads: number): CreatePeer {
  return async (parameters) => {
    const { inputs, units } = parameters;
    const session = await InferenceSession.create(layerStepOnnx(parameters), {
      intraOpNumThreads: threads,
      interOpNumThreads: 1,
      executionMode: "sequential",
    });
    let h: Tensor = new Tensor("float32", new Float32Array(units), [1, units]);
    let c: Tensor = new Tensor("float32", new Float32Array(units), [1, units]);
    return {
      async run({ timesUs, rows }, count) {
        for (let n = 0; n < count; n++) {
          const { nextH, nextC } = await session.run({
            t: new Tensor("float64", timesUs.subarray(n, n + 1), [1]),
            x: new Tensor("float32", rows[n]!, [1, inputs]),
            h,
            c,
          });
          h = nextH!;
          c = nextC!;
        }
      },
      output: () => h.data as Float32Array,
    };
  };
}
