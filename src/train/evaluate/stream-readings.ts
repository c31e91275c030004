import type { FusionModel } from "../../fusion/fusion-model.ts";
import { type FusionState, resetFusionState } from "../../fusion/fusion-state.ts";
import { readHead } from "../../fusion/read-head.ts";
import { applyEvent, finishTick } from "../../fusion/step-fusion.ts";
import { PolyphaseError } from "../../sensors/polyphase-error.ts";
import type { SensorEvent } from "../../sensors/sensor-event.ts";
import type { LabelledSequence } from "./captured-sequences.ts";

/** What a head said where it was asked. */
export interface StreamedReading {
  readonly target: number;
  /**
   * Of a softmax the mean log-probabilities [C], which order the classes as the mean logits do;
   * else the mean value.
   */
  readonly answer: Float64Array;
}

/**
 * A recording of any number of sensors through the streaming graph, tick by tick, from a zero state
 * and with time counted from 0: the answers of one head where they are asked for.
 *
 * @param head its index
 * @param readTicks ticks with news below the head, the last ones, that an answer is a mean over
 * @throws {PolyphaseError} BAD_EVENT if an item is not one the model's sensors can take
 */
export function streamReadings(
  model: FusionModel,
  state: FusionState,
  sequence: LabelledSequence,
  head: number,
  readTicks: number,
): StreamedReading[] {
  const { items, readings } = sequence;
  const { spec, sensors } = state.graph;
  const below = state.graph.heads[head]!.sources.reduce((mask, s) => mask | s.sensors, 0);
  resetFusionState(state, spec.time.origin === "absolute" ? spec.time.epochUs : 0);
  const said: Float64Array[] = [];
  const answers: StreamedReading[] = [];
  for (let from = 0; from < items.length; ) {
    const { timeUs } = items[from]!;
    let end = from;
    let news = 0;
    for (; end < items.length && items[end]!.timeUs === timeUs; end++) {
      const sensor = sensors.findIndex(({ spec: { name } }) => name === items[end]!.sensor);
      encodeItem(model, state, sensor, items[end]!);
      applyEvent(state, sensor, timeUs);
      news |= 1 << sensor;
    }
    finishTick(state, timeUs);
    if ((news & below) !== 0) said.push(sayLogs(state, head));
    for (const { after, target } of readings) {
      if (after <= from || after > end) continue;
      answers.push({ target, answer: meanOfLast(said, readTicks, state, head) });
    }
    from = end;
  }
  return answers;
}

function encodeItem(
  model: FusionModel,
  state: FusionState,
  sensor: number,
  item: SensorEvent,
): void {
  const encoder = model.encoders[sensor]!;
  if (encoder.mode !== "direct" || item.kind === "dvs") {
    throw new PolyphaseError(
      "BAD_MODEL",
      `Cannot evaluate: sensor ${item.sensor} must be audio or plain numbers, got ${item.kind}`,
    );
  }
  encoder.validate(item);
  encoder.encode(state.features[sensor]!, item, 0);
}

function sayLogs(state: FusionState, head: number): Float64Array {
  const isSoftmax = state.graph.heads[head]!.spec.type === "softmax";
  return Float64Array.from(readHead(state, head), (value) => (isSoftmax ? Math.log(value) : value));
}

/** Of a head that has said nothing, what it holds. */
function meanOfLast(
  said: readonly Float64Array[],
  count: number,
  state: FusionState,
  head: number,
): Float64Array {
  const last = said.length === 0 ? [sayLogs(state, head)] : said.slice(-count);
  return last[0]!.map((_, k) => last.reduce((sum, values) => sum + values[k]!, 0) / last.length);
}
