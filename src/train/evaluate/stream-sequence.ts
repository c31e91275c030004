import type { FusionModel } from "../../fusion/fusion-model.ts";
import { type FusionState, resetFusionState } from "../../fusion/fusion-state.ts";
import { readHead } from "../../fusion/read-head.ts";
import { applyEvent, finishTick } from "../../fusion/step-fusion.ts";
import { itemLength, timeAt } from "../../sensors/item-events.ts";
import { PolyphaseError } from "../../sensors/polyphase-error.ts";
import { firstRead } from "../network/sequence-writer.ts";
import type { LabelledSequence } from "./captured-sequences.ts";

/**
 * One sequence through the streaming graph, event by event, from a zero state and with time
 * counted from 0: the answer of its first head.
 *
 * @param readShare share of the events, the last ones, that the answer is a mean over
 * @returns of a softmax the mean log-probabilities [C], which order the classes as the mean logits
 *   do; else the mean value
 * @throws {PolyphaseError} BAD_DATA if the sequence is not one the model's sensor can take
 */
export function streamSequence(
  model: FusionModel,
  state: FusionState,
  sequence: LabelledSequence,
  readShare: number,
): Float64Array {
  const encoder = model.encoders[0]!;
  if (encoder.mode !== "direct") {
    throw new PolyphaseError(
      "BAD_MODEL",
      `Cannot evaluate: the sensor must be an event camera or plain numbers, got ${encoder.name}`,
    );
  }
  resetFusionState(state, 0);
  const events = sequence.items.reduce((sum, item) => sum + itemLength(item), 0);
  const from = firstRead(events, readShare);
  const answer = new Float64Array(state.heads[0]!.length);
  let n = 0;
  for (const item of sequence.items) {
    encoder.validate(item);
    for (let i = 0; i < itemLength(item); i++, n++) {
      const timeUs = timeAt(item, i);
      encoder.encode(state.features[0]!, item, i);
      applyEvent(state, 0, timeUs);
      finishTick(state, timeUs);
      if (n >= from) addAnswer(answer, state, 1 / (events - from));
    }
  }
  return answer;
}

function addAnswer(answer: Float64Array, state: FusionState, scale: number): void {
  const isSoftmax = state.graph.heads[0]!.spec.type === "softmax";
  readHead(state, 0).forEach((value, k) => {
    answer[k]! += scale * (isSoftmax ? Math.log(value) : value);
  });
}
