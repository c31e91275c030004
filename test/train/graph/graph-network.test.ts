import { describe, expect, it } from "vitest";
import { Random } from "../../../src/sensors/random.ts";
import { createGraphNetwork } from "../../../src/train/graph/create-graph-network.ts";
import type { GraphNetwork } from "../../../src/train/graph/graph-network.ts";
import type { TrainingPass } from "../../../src/train/network/trainable-network.ts";
import {
  type SmallGraph,
  smallPlan,
  smallRecordings,
  smallSpec,
  writeSmall,
} from "./small-graph.ts";

const cases: readonly SmallGraph[] = [
  { branch: "own-event", merge: "phase", onSilence: "hold" },
  { branch: "phase", merge: "square", onSilence: "hold" },
  { branch: "phase", merge: "phase", onSilence: "zero" },
  { branch: "always", merge: "aligned", onSilence: "hold" },
];

/**
 * Largest difference between the gradients as they are and central differences, by group, relative
 * to its largest derivative.
 */
function worstErrors(network: GraphNetwork, objective: () => number): Map<string, number> {
  const step = 1e-6;
  const errors = new Map<string, number>();
  const gradients = network.groups.map(({ gradient }) => gradient.slice());
  network.groups.forEach(({ name, values, rateFactor }, i) => {
    if (rateFactor === 0) return;
    let worst = 0;
    let largest = 1e-9;
    for (let m = 0; m < values.length; m++) {
      const value = values[m]!;
      values[m] = value + step;
      const above = objective();
      values[m] = value - step;
      const below = objective();
      values[m] = value;
      worst = Math.max(worst, Math.abs((above - below) / (2 * step) - gradients[i]![m]!));
      largest = Math.max(largest, Math.abs(gradients[i]![m]!));
    }
    errors.set(name, worst / largest);
  });
  return errors;
}

function expectSmall(errors: ReadonlyMap<string, number>): void {
  expect(errors.size).toBeGreaterThan(10);
  for (const [name, error] of errors) expect(error, name).toBeLessThan(1e-5);
}

/** Zero gradients, as an optimizer leaves them. */
function clear(network: GraphNetwork): void {
  for (const { gradient } of network.groups) gradient.fill(0);
}

describe.each(cases)("GraphNetwork of two branches and two merge layers, %j", (small) => {
  it("has the gradients of the mean loss by every parameter, to 1e-5", () => {
    const spec = smallSpec(small);
    const network = createGraphNetwork(smallPlan(spec), new Random(4));
    writeSmall(network.beginBatch(), smallRecordings(spec, 9));
    expect(network.trainBatch(3).sequences).toBe(6);
    expectSmall(worstErrors(network, () => network.evaluateBatch(3).loss / 6));
  });
});

describe("GraphNetwork", () => {
  const spec = smallSpec(cases[0]!);
  const recordings = smallRecordings(spec, 9);
  const halves = [
    [0, 25_000],
    [25_000, Number.POSITIVE_INFINITY],
  ] as const;

  it("has the gradients of what dropout leaves", () => {
    const pass: TrainingPass = { continues: false, dropoutSeed: (b) => 100 + b };
    const plan = smallPlan(spec, { layer: { dropout: 0.3 } });
    const network = createGraphNetwork(plan, new Random(4));
    writeSmall(network.beginBatch(), recordings);
    const { loss } = network.trainBatch(3, pass);
    expect(loss).not.toBeCloseTo(network.evaluateBatch(3).loss, 3);
    expectSmall(worstErrors(network, () => network.trainBatch(3, pass).loss / 6));
  });

  it("goes on in a second window with the numbers of one pass over both", () => {
    const network = createGraphNetwork(smallPlan(spec), new Random(4));
    writeSmall(network.beginBatch(), recordings);
    network.evaluateBatch(3);
    const whole = network.carried.slice();
    const windows = halves.map((window, w) => {
      writeSmall(network.beginBatch(), recordings, window);
      return network.evaluateBatch(3, { continues: w > 0 });
    });
    expect(network.carried).toEqual(whole);
    const [first, second] = windows.map(({ sequences }) => sequences);
    expect(first).toBeGreaterThan(0);
    expect(first! + second!).toBe(6);
    writeSmall(network.beginBatch(), recordings, halves[1]);
    expect(network.evaluateBatch(3).loss).not.toBeCloseTo(windows[1]!.loss, 3);
  });

  it("has the gradients of a window that begins where another ended, and none before it", () => {
    const network = createGraphNetwork(smallPlan(spec), new Random(4));
    writeSmall(network.beginBatch(), recordings, halves[0]);
    network.evaluateBatch(3);
    const start = network.carried.slice();
    writeSmall(network.beginBatch(), recordings, halves[1]);
    network.trainBatch(3, { continues: true, dropoutSeed: undefined });
    expectSmall(
      worstErrors(network, () => {
        network.carried.set(start);
        const { loss, sequences } = network.evaluateBatch(3, { continues: true });
        return loss / sequences;
      }),
    );
  });

  it("leaves frozen layers alone, and learns below and above them all the same", () => {
    const plan = smallPlan(spec);
    const frozen = { ...plan.layers["merge-1"]!, rateFactor: 0 };
    const layers = { ...plan.layers, "merge-1": frozen };
    const network = createGraphNetwork({ ...plan, layers }, new Random(4));
    writeSmall(network.beginBatch(), recordings);
    network.trainBatch(3);
    const rates = network.groups.filter(({ name }) => name.startsWith("merge-1."));
    expect(rates.map(({ rateFactor }) => rateFactor)).toEqual([0, 0, 0, 0, 0]);
    expectSmall(worstErrors(network, () => network.evaluateBatch(3).loss / 6));
  });

  it("skips the backward pass of frozen branches", () => {
    const plan = smallPlan(spec);
    const frozen = { ...plan.layers["ear-lstm"]!, rateFactor: 0 };
    const layers = { ...plan.layers, "ear-lstm": frozen, "eye-lstm": frozen };
    const network = createGraphNetwork({ ...plan, layers }, new Random(4));
    writeSmall(network.beginBatch(), recordings);
    network.trainBatch(3);
    const [ear, eye, merge] = network.layers;
    expect([...ear!.gradients.rows, ...eye!.gradients.rows].every((value) => value === 0)).toBe(
      true,
    );
    expect(merge!.gradients.rows.some((value) => value !== 0)).toBe(true);
  });

  it("teaches every layer by a read-out of its own where errors are local", () => {
    const network = createGraphNetwork(
      smallPlan(spec, { plan: { errors: "local" } }),
      new Random(4),
    );
    const names = network.parts.heads.map(({ name }) => name);
    expect(names).toEqual(["word", "heard", "local-eye-lstm", "local-merge-1"]);
    writeSmall(network.beginBatch(), recordings);
    network.trainBatch(3);
    const eye = network.layers[1]!.gradients.rows.slice();
    expect(eye.some((value) => value !== 0)).toBe(true);
    // What merge layers think of it is nothing to a branch.
    clear(network);
    network.layers[3]!.parameters.rows.fill(0.3);
    network.parts.heads[0]!.readout.weights.fill(0.7);
    network.trainBatch(3);
    expect(network.layers[1]!.gradients.rows).toEqual(eye);
  });

  it("refuses events out of order, of other sizes and that are not numbers, naming them", () => {
    const network = createGraphNetwork(smallPlan(spec), new Random(4));
    const writer = network.beginBatch();
    writer.item(1, 10, [1, 2, 3]);
    expect(() => writer.item(0, 10, [1, 2])).toThrow(
      "event 1 of sequence 0: events must be in order of time, then sensor, from 0 µs on, got sensor 0 at 10 after sensor 1 at 10",
    );
    expect(() => writer.item(0, Number.NaN, [1, 2])).toThrow("in order of time");
    expect(() => writer.item(0, 11, [1])).toThrow("ear must have 2 values, got 1");
    expect(() => writer.item(0, 11, [1, Number.NaN])).toThrow(
      "ear must be finite, got NaN at index 1",
    );
  });

  it.each([
    [{ cell: "phased-gru" }, "cell of layer merge-1 must be phased-lstm or lstm, got phased-gru"],
    [{ merge: "attention" }, "merge of layer merge-1 must be concat, got attention"],
  ])("refuses what it cannot train: %j", (change, message) => {
    const layers = spec.layers.map((layer) =>
      layer.name === "merge-1" ? ({ ...layer, ...change } as typeof layer) : layer,
    );
    const plan = { ...smallPlan(spec), spec: { ...spec, layers } };
    expect(() => createGraphNetwork(plan, new Random(1))).toThrow(message);
  });
});
