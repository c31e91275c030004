import { describe, expect, it } from "vitest";
import { chooseKernel } from "../../src/cells/kernels/choose-kernel.ts";
import type { Kernel } from "../../src/cells/kernels/kernel.ts";
import type { FusionModel } from "../../src/fusion/fusion-model.ts";
import { createFusionState, type FusionState } from "../../src/fusion/fusion-state.ts";
import type { Prediction } from "../../src/fusion/prediction.ts";
import { readPredictions } from "../../src/fusion/read-predictions.ts";
import { applyEvent, finishTick } from "../../src/fusion/step-fusion.ts";
import { encodeCheckpoint, restoreCheckpoint } from "../../src/state/checkpoint.ts";
import { graphOf, type RandomCase, type RandomTick, randomCase } from "../fusion/random-graph.ts";

function modelOf(randomised: RandomCase, kernel: Kernel): FusionModel {
  return { graph: graphOf(randomised, kernel), encoders: [], hash: "model" };
}

function newState(model: FusionModel, epochUs: number): FusionState {
  const state = createFusionState(model.graph);
  state.progress.epochUs = epochUs;
  return state;
}

function applyTick(state: FusionState, tick: RandomTick): void {
  for (const { sensor, features } of tick.events) {
    state.features[sensor]!.set(features);
    applyEvent(state, sensor, tick.timeUs);
  }
  finishTick(state, tick.timeUs);
}

describe("encodeCheckpoint() and restoreCheckpoint()", () => {
  it.each(["reference-f64", "wasm-f32"] as const)(
    "change nothing, whatever tick they come after (%s)",
    (name) => {
      const { kernel } = chooseKernel(name);
      for (let seed = 0; seed < 60; seed++) {
        const randomised = randomCase(seed);
        const model = modelOf(randomised, kernel);
        const whole = newState(model, randomised.epochUs);
        let interrupted = newState(model, randomised.epochUs);
        for (const tick of randomised.ticks) {
          applyTick(whole, tick);
          applyTick(interrupted, tick);
          const checkpoint = encodeCheckpoint(interrupted, model, "s");
          interrupted = createFusionState(model.graph);
          expect(restoreCheckpoint(interrupted, model, checkpoint)).toBe("s");
        }
        const end = encodeCheckpoint(interrupted, model, "s");
        expect(Buffer.compare(end, encodeCheckpoint(whole, model, "s")), `seed ${seed}`).toBe(0);
      }
    },
  );

  it("change no prediction that follows, nor whether it is held", () => {
    const { kernel } = chooseKernel("wasm-f32");
    let held = 0;
    for (let seed = 0; seed < 60; seed++) {
      const randomised = randomCase(seed);
      const model = modelOf(randomised, kernel);
      const speak = (state: FusionState, timeUs: number): readonly Prediction[] =>
        (["tick", "segment-end", "session-end"] as const).flatMap((cue) =>
          readPredictions(state, "s", cue, timeUs),
        );
      const whole = newState(model, randomised.epochUs);
      let resumed = newState(model, randomised.epochUs);
      for (const tick of randomised.ticks) {
        applyTick(whole, tick);
        applyTick(resumed, tick);
        const said = speak(whole, tick.timeUs);
        expect(JSON.stringify(speak(resumed, tick.timeUs))).toBe(JSON.stringify(said));
        held += said.filter((prediction) => prediction.held).length;
        const checkpoint = encodeCheckpoint(resumed, model, "s");
        resumed = createFusionState(model.graph);
        restoreCheckpoint(resumed, model, checkpoint);
        const again = speak(resumed, tick.timeUs);
        expect(JSON.stringify(again)).toBe(JSON.stringify(speak(whole, tick.timeUs)));
      }
    }
    expect(held).toBeGreaterThan(0);
  });

  it("are the same bytes in both float32 kernels, so that one restores the other's", () => {
    const randomised = randomCase(3);
    const [wasm, typescript] = (["wasm-f32", "sparse-f32"] as const).map((name) => {
      const model = modelOf(randomised, chooseKernel(name).kernel);
      const state = newState(model, randomised.epochUs);
      for (const tick of randomised.ticks) applyTick(state, tick);
      return encodeCheckpoint(state, model, "s");
    });
    expect(Buffer.compare(wasm!, typescript!)).toBe(0);
  });

  it("refuse every flipped byte and leave the state alone", () => {
    const randomised = randomCase(4);
    const model = modelOf(randomised, chooseKernel("sparse-f32").kernel);
    const state = newState(model, randomised.epochUs);
    for (const tick of randomised.ticks) applyTick(state, tick);
    const good = encodeCheckpoint(state, model, "s");
    const target = createFusionState(model.graph);
    for (let i = 0; i < good.length; i++) {
      const bad = Uint8Array.from(good);
      bad[i]! ^= 0x10;
      expect(() => restoreCheckpoint(target, model, bad)).toThrow("Cannot restore checkpoint");
    }
    expect(target.arena.every((value: number) => value === 0)).toBe(true);
    expect(() => restoreCheckpoint(target, model, good.subarray(0, -1))).toThrow("damaged");
    expect(() => restoreCheckpoint(target, model, new Uint8Array(3))).toThrow("must begin with");
  });

  it("refuse another model's, and another precision's", () => {
    const randomised = randomCase(5);
    const model = modelOf(randomised, chooseKernel("sparse-f32").kernel);
    const checkpoint = encodeCheckpoint(newState(model, 0), model, "s");
    const other = { ...model, hash: "other" };
    expect(() => restoreCheckpoint(newState(model, 0), other, checkpoint)).toThrow(
      "it must be of model other, got model",
    );
    const reference = modelOf(randomised, chooseKernel("reference-f64").kernel);
    expect(() => restoreCheckpoint(newState(reference, 0), reference, checkpoint)).toThrow(
      "it must hold float64, got float32",
    );
  });
});
