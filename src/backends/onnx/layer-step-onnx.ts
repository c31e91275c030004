import { hasOscillator } from "../../cells/gate.ts";
import type { LayerParameters } from "../../cells/layer-parameters.ts";
import { PolyphaseError } from "../../sensors/polyphase-error.ts";
import { encodeOnnx, type OnnxNode, type OnnxTensor, type OnnxValue } from "./onnx-writer.ts";

/**
 * One step of a Phased LSTM or LSTM layer as an ONNX model for other runtimes: every unit is
 * computed and mixed with k, which is dense, but the same numbers.
 *
 * Inputs x [1, I], h and c [1, H], and t (double [1], µs from the stream's origin) where the gate
 * depends on time; outputs nextH and nextC [1, H]. α is 0.
 *
 * @throws {PolyphaseError} BAD_MODEL for a Phased GRU
 */
export function layerStepOnnx(p: LayerParameters): Uint8Array {
  if (p.cell === "phased-gru") {
    throw new PolyphaseError(
      "BAD_MODEL",
      "Cannot export a layer to ONNX: cell must be phased-lstm or lstm, got phased-gru",
    );
  }
  const { inputs, units } = p;
  const oscillates = hasOscillator(p.gate);
  const time: OnnxValue[] = oscillates ? [{ name: "t", element: "double", shape: [1] }] : [];
  return encodeOnnx({
    name: "recurrent-step",
    nodes: [...(oscillates ? gateNodes(p.gate === "square") : []), ...cellNodes(oscillates)],
    initializers: [...weightTensors(p), ...(oscillates ? gateTensors(p) : [])],
    inputs: [
      ...time,
      { name: "x", shape: [1, inputs] },
      { name: "h", shape: [1, units] },
      { name: "c", shape: [1, units] },
    ],
    outputs: [
      { name: "nextH", shape: [1, units] },
      { name: "nextC", shape: [1, units] },
    ],
  });
}

function weightTensors(p: LayerParameters): OnnxTensor[] {
  const { inputs, units } = p;
  const peepholes = p.peepholes ?? new Float32Array(3 * units);
  const matrix = [...Array.from(p.inputWeights), ...Array.from(p.recurrentWeights)];
  return [
    { name: "W", shape: [inputs + units, 4 * units], data: Float32Array.from(matrix) },
    { name: "b", shape: [4 * units], data: Float32Array.from(p.bias) },
    ...["pi", "pf", "po"].map((name, gate) => ({
      name,
      shape: [1, units],
      data: Float32Array.from({ length: units }, (_, u) => peepholes[gate * units + u]!),
    })),
  ];
}

/** In float64, as everywhere: phases come from it. */
function gateTensors(p: LayerParameters): OnnxTensor[] {
  const vector = (name: string, value: (u: number) => number): OnnxTensor => ({
    name,
    shape: [1, p.units],
    data: Float64Array.from({ length: p.units }, (_, u) => value(u)),
  });
  return [
    vector("s", (u) => p.shiftUs[u]!),
    vector("tau", (u) => p.periodUs[u]!),
    vector("ratio", (u) => p.openRatio[u]!),
    vector("slope", (u) => 2 / p.openRatio[u]!),
    { name: "two", shape: [1], data: Float64Array.of(2) },
    { name: "zero", shape: [1], data: Float64Array.of(0) },
    { name: "one", shape: [1], data: Float32Array.of(1) },
  ];
}

function node(
  operator: string,
  inputs: readonly string[],
  output: string,
  integer: Readonly<Record<string, number>> = {},
): OnnxNode {
  return { operator, inputs, outputs: [output], integer };
}

/** Eq. 6 at α = 0: k from t. */
function gateNodes(isSquare: boolean): OnnxNode[] {
  const phi = [
    node("Sub", ["t", "s"], "since"),
    node("Div", ["since", "tau"], "cycles"),
    node("Floor", ["cycles"], "whole"),
    node("Sub", ["cycles", "whole"], "phi"),
  ];
  // The element type of a cast: 1 is float.
  if (isSquare) return [...phi, node("Less", ["phi", "ratio"], "open"), cast("open")];
  return [
    ...phi,
    node("Mul", ["phi", "slope"], "rise"),
    node("Sub", ["two", "rise"], "fall"),
    node("Min", ["rise", "fall"], "triangle"),
    node("Max", ["triangle", "zero"], "open"),
    cast("open"),
  ];
}

function cast(from: string): OnnxNode {
  return node("Cast", [from], "k", { to: 1 });
}

/** Eqs. 1-5, and 7-10 where there is a gate. */
function cellNodes(hasGate: boolean): OnnxNode[] {
  const candidate = hasGate ? ["candidateC", "candidateH"] : ["nextC", "nextH"];
  const [candidateC, candidateH] = candidate as [string, string];
  const blend = (name: string, from: string, to: string): OnnxNode[] => [
    node("Mul", ["k", name], `fresh${to}`),
    node("Mul", ["rest", from], `held${to}`),
    node("Add", [`fresh${to}`, `held${to}`], to),
  ];
  return [
    node("Concat", ["x", "h"], "v", { axis: 1 }),
    node("Gemm", ["v", "W", "b"], "z"),
    {
      operator: "Split",
      inputs: ["z"],
      outputs: ["zi", "zf", "zg", "zo"],
      integer: { axis: 1 },
    },
    node("Mul", ["pi", "c"], "ci"),
    node("Add", ["zi", "ci"], "ai"),
    node("Sigmoid", ["ai"], "i"),
    node("Mul", ["pf", "c"], "cf"),
    node("Add", ["zf", "cf"], "af"),
    node("Sigmoid", ["af"], "f"),
    node("Tanh", ["zg"], "g"),
    node("Mul", ["f", "c"], "kept"),
    node("Mul", ["i", "g"], "written"),
    node("Add", ["kept", "written"], candidateC),
    // The gates are blind to the time gate: the peephole of o sees c~.
    node("Mul", ["po", candidateC], "co"),
    node("Add", ["zo", "co"], "ao"),
    node("Sigmoid", ["ao"], "o"),
    node("Tanh", [candidateC], "squashed"),
    node("Mul", ["o", "squashed"], candidateH),
    ...(hasGate
      ? [
          node("Sub", ["one", "k"], "rest"),
          ...blend(candidateC, "c", "nextC"),
          ...blend(candidateH, "h", "nextH"),
        ]
      : []),
  ];
}
