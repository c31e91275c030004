import { describe, expect, it } from "vitest";
import { presets } from "../../../src/fusion/presets/presets.ts";
import { parseGraphSpec } from "../../../src/fusion/spec/parse-graph-spec.ts";
import { PolyphaseError } from "../../../src/sensors/polyphase-error.ts";

/** A small valid graph as JSON, to be spoilt. */
// biome-ignore lint/suspicious/noExplicitAny: the tests write arbitrary nonsense into it
function valid(): any {
  return {
    format: "polyphase.graph/v1",
    name: "two",
    time: { origin: "session-start" },
    sensors: [
      { name: "mic", kind: "audio", size: 3, convention: "mfcc" },
      { name: "imu", kind: "scalar", size: 2 },
    ],
    layers: [
      { name: "a", cell: "phased-lstm", units: 4, inputs: ["mic"], gate: { mode: "own-event" } },
      { name: "b", cell: "phased-gru", units: 4, inputs: ["imu"], gate: { mode: "phase" } },
      { name: "m", cell: "phased-lstm", units: 5, inputs: ["a", "b"], gate: { mode: "square" } },
    ],
    heads: [{ name: "out", type: "softmax", inputs: ["m", "a"], labels: ["x", "y"] }],
  };
}

describe("parseGraphSpec()", () => {
  it("fills in what may be left out", () => {
    const spec = parseGraphSpec(valid());
    expect(spec.time.epochUs).toBe(0);
    expect(spec.layers[2]).toMatchObject({ merge: "concat", onSilence: "hold" });
    expect(spec.heads[0]!.output).toBe("every-tick");
    expect(spec.provenance).toEqual({});
  });

  it("reads which layers a compute budget may narrow", () => {
    const json = valid();
    json.layers[2].governed = { floor: 0.5 };
    const spec = parseGraphSpec(json);
    expect(spec.layers.map(({ governed }) => governed)).toEqual([
      undefined,
      undefined,
      { floor: 0.5 },
    ]);
    expect(parseGraphSpec(JSON.parse(JSON.stringify(spec)))).toEqual(spec);
  });

  it("reads back what it has written", () => {
    const spec = parseGraphSpec(valid());
    expect(parseGraphSpec(JSON.parse(JSON.stringify(spec)))).toEqual(spec);
  });

  it.each(Object.keys(presets))("accepts the preset %s", (name) => {
    const { spec } = presets[name]!;
    expect(parseGraphSpec(JSON.parse(JSON.stringify(spec)))).toEqual(spec);
  });

  // biome-ignore lint/suspicious/noExplicitAny: the tests write arbitrary nonsense
  const complaints: readonly (readonly [string, (graph: any) => unknown, string])[] = [
    ["not an object", () => [], "the document must be an object, got []"],
    [
      "another format",
      (g) => Object.assign(g, { format: "x/v9" }),
      "format must be polyphase.graph/v1",
    ],
    [
      "a misspelt field",
      (g) => Object.assign(g.layers[0], { unit: 3 }),
      "layers[0].unit is not a known field; known are name, cell, units",
    ],
    [
      "a floor of nothing",
      (g) => Object.assign(g.layers[1], { governed: { floor: 0 } }),
      "layers[1].governed.floor must be a number in (0, 1], got 0",
    ],
    [
      "a governed layer without r_on",
      (g) => Object.assign(g.layers[0], { governed: { floor: 0.5 } }),
      "layers[0].governed needs a gate with r_on to narrow (phase, aligned or square), got own-event",
    ],
    [
      "no units",
      (g) => Object.assign(g.layers[0], { units: 0 }),
      "layers[0].units must be a whole number of at least 1, got 0",
    ],
    [
      "an unknown cell",
      (g) => Object.assign(g.layers[1], { cell: "gru" }),
      'layers[1].cell must be one of phased-lstm, lstm, phased-gru, got "gru"',
    ],
    [
      "an unknown gate",
      (g) => Object.assign(g.layers[1], { gate: { mode: "open" } }),
      "layers[1].gate.mode must be one of phase, aligned",
    ],
    [
      "a forward reference",
      (g) => Object.assign(g.layers[0], { inputs: ["m"] }),
      'layers[0].inputs[0] must be a sensor or an earlier layer (mic, imu), got "m"',
    ],
    [
      "a repeated input",
      (g) => Object.assign(g.layers[2], { inputs: ["a", "a"] }),
      'layers[2].inputs[1] must not repeat "a"',
    ],
    [
      "a repeated name",
      (g) => Object.assign(g.layers[1], { name: "a" }),
      'layers[1].name must be unique, but layers[0].name is also "a"',
    ],
    [
      "a name with a slash",
      (g) => Object.assign(g.sensors[0], { name: "a/b" }),
      "sensors[0].name must be letters, digits",
    ],
    [
      "an unused sensor",
      (g) => g.sensors.push({ name: "gps", kind: "scalar", size: 1 }),
      '"gps" must be an input of a layer or head',
    ],
    [
      "own-event in a merge",
      (g) => Object.assign(g.layers[2], { gate: { mode: "own-event" } }),
      "layers[2].gate.mode own-event needs one sensor below the layer, got mic, imu",
    ],
    [
      "an lstm with an oscillator",
      (g) => Object.assign(g.layers[2], { cell: "lstm" }),
      "layers[2].gate.mode of an lstm must be always or own-event, got square",
    ],
    [
      "a product of sizes that differ",
      (g) => {
        g.layers[1].units = 3;
        g.layers[2].merge = "product";
      },
      'layers[2].inputs of a product must have equal sizes: "a" has 4, "b" has 3',
    ],
    [
      "an aligned gate without a period",
      (g) => Object.assign(g.layers[2], { gate: { mode: "aligned", openRatio: 0.1 } }),
      "layers[2].gate.periodUs must be a number above 0, got nothing",
    ],
    [
      "an open ratio above 1",
      (g) => Object.assign(g.layers[2], { gate: { mode: "aligned", periodUs: 1, openRatio: 1.5 } }),
      "layers[2].gate.openRatio must be a number in (0, 1], got 1.5",
    ],
    [
      "one class",
      (g) => Object.assign(g.heads[0], { labels: ["x"] }),
      "heads[0].labels must name at least 2 classes, got 1",
    ],
    [
      "a regression on change",
      (g) =>
        Object.assign(g, {
          heads: [{ name: "o", type: "linear", size: 1, inputs: ["m", "a"], output: "on-change" }],
        }),
      "heads[0].output must not be on-change",
    ],
    [
      "a mean of another length",
      (g) => Object.assign(g.sensors[0], { mean: [1, 2] }),
      "sensors[0].mean must have 3 numbers or none, got 2",
    ],
    [
      "a fractional epoch",
      (g) => Object.assign(g.time, { epochUs: 0.5 }),
      "time.epochUs must be a whole number of microseconds, got 0.5",
    ],
    [
      "frames too small to encode",
      (g) => Object.assign(g.sensors, { 0: { name: "mic", kind: "video", width: 20, height: 48 } }),
      "sensors[0].width and height must leave something",
    ],
    ["no head", (g) => Object.assign(g, { heads: [] }), "heads must name at least one head"],
  ];
  it.each(complaints)("refuses %s and says where", (_, spoil, message) => {
    const graph = valid();
    const spoilt = spoil(graph);
    const error = catchError(() =>
      parseGraphSpec(Array.isArray(spoilt) && spoilt.length === 0 ? spoilt : graph),
    );
    expect(error).toBeInstanceOf(PolyphaseError);
    expect(error.message).toContain(message);
    expect((error as PolyphaseError).code).toBe("BAD_MODEL");
  });
});

function catchError(work: () => unknown): Error {
  try {
    work();
  } catch (error) {
    return error as Error;
  }
  throw new Error("expected an error, got none");
}
