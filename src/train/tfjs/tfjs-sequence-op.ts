import type * as tfjs from "@tensorflow/tfjs-core";
import type { SequenceOp } from "../sequence-op/sequence-op.ts";

/** The part of tfjs that is used; the caller hands it in, so that there is one copy of it. */
export type Tfjs = Pick<typeof tfjs, "customGrad" | "tensor">;

/** Inputs that tfjs differentiates by: x [N, I], then `rows` and `peepholes` as in the op. */
export type TfjsSequence = (
  x: tfjs.Tensor,
  rows: tfjs.Tensor,
  peepholes: tfjs.Tensor,
) => tfjs.Tensor;

/**
 * The sequence op as a differentiable function of tfjs (`tf.customGrad`), for networks whose other
 * layers, loss and optimizer are tfjs's. It returns h [N, H] of all events of the op's batch, whose
 * offsets, times, `readFrom` and initial states the caller has written; rows of events that are not
 * read are zero.
 *
 * τ, s and r_on stay in `op.parameters` in float64, which tfjs does not have; their derivatives are
 * added to `op.gradients` when tfjs asks for those of x. Backward must follow its own forward.
 *
 * @param sequences B, sequences in the batch
 */
export function createTfjsSequence(tf: Tfjs, op: SequenceOp, sequences: number): TfjsSequence {
  const { batch, parameters, gradients, shape } = op;
  const evaluate = tf.customGrad((...inputs: (tfjs.Tensor | tfjs.GradSaveFunc)[]) => {
    const [x, rows, peepholes] = inputs as tfjs.Tensor[];
    batch.x.set(x!.dataSync());
    parameters.rows.set(rows!.dataSync());
    parameters.peepholes.set(peepholes!.dataSync());
    const events = batch.offsets[sequences]!;
    batch.h.fill(0, 0, events * shape.units);
    op.forward(sequences);
    const h = Float32Array.from(batch.h.subarray(0, events * shape.units));
    return {
      value: tf.tensor(h, [events, shape.units]),
      gradFunc: (dy: tfjs.Tensor) => {
        batch.hGradient.set(dy.dataSync());
        gradients.rows.fill(0);
        gradients.peepholes.fill(0);
        op.backward(sequences);
        return [
          tf.tensor(Float32Array.from(batch.xGradient.subarray(0, x!.size)), x!.shape),
          tf.tensor(Float32Array.from(gradients.rows), rows!.shape),
          tf.tensor(Float32Array.from(gradients.peepholes), peepholes!.shape),
        ];
      },
    };
  });
  return (x, rows, peepholes) => evaluate(x, rows, peepholes);
}
