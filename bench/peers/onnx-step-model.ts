import type { LayerParameters } from "../../src/cells/layer-parameters.ts";

// Just enough of protobuf and of onnx.proto (ONNX 1.8, opset 13) for one model.

const elementCode = { float: 1, double: 11 } as const;
type ElementType = keyof typeof elementCode;

function varint(value: number): number[] {
  const out: number[] = [];
  let rest = value;
  for (; rest > 127; rest = Math.floor(rest / 128)) out.push((rest % 128) | 128);
  return [...out, rest];
}

const number = (field: number, value: number): Uint8Array =>
  Uint8Array.from([...varint(field * 8), ...varint(value)]);

function bytes(field: number, value: Uint8Array | string): Buffer {
  const data = Buffer.from(value);
  return Buffer.concat([Uint8Array.from([...varint(field * 8 + 2), ...varint(data.length)]), data]);
}

const message = (field: number, ...parts: readonly Uint8Array[]): Buffer =>
  bytes(field, Buffer.concat(parts));

function valueInfo(
  field: number,
  name: string,
  type: ElementType,
  dims: readonly number[],
): Buffer {
  const shape = message(2, ...dims.map((dim) => message(1, number(1, dim))));
  return message(
    field,
    bytes(1, name),
    message(2, message(1, number(1, elementCode[type]), shape)),
  );
}

function initializer(
  name: string,
  dims: readonly number[],
  values: Float32Array | Float64Array,
): Buffer {
  const type: ElementType = values instanceof Float32Array ? "float" : "double";
  return message(
    5,
    ...dims.map((dim) => number(1, dim)),
    number(2, elementCode[type]),
    bytes(8, name),
    bytes(9, new Uint8Array(values.buffer, values.byteOffset, values.byteLength)),
  );
}

function node(
  operator: string,
  inputs: readonly string[],
  outputs: readonly string[],
  attributes: Readonly<Record<string, number>> = {},
): Buffer {
  return message(
    1,
    ...inputs.map((name) => bytes(1, name)),
    ...outputs.map((name) => bytes(2, name)),
    bytes(4, operator),
    ...Object.entries(attributes).map(([name, value]) =>
      message(5, bytes(1, name), number(3, value), number(20, 2)),
    ),
  );
}

/**
 * An ONNX model of one Phased LSTM step, every unit computed and mixed with k: what the usual
 * implementations do.
 *
 * Inputs t (double [1]), x [1, I], h and c [1, H]; outputs nextH and nextC.
 */
export function onnxStepModel(p: LayerParameters): Uint8Array {
  const { inputs, units } = p;
  const float = (name: string, dims: readonly number[], values: ArrayLike<number>): Buffer =>
    initializer(name, dims, Float32Array.from(values));
  const perUnit = (name: string, value: (j: number) => number): Buffer =>
    initializer(
      name,
      [1, units],
      Float64Array.from({ length: units }, (_, j) => value(j)),
    );
  const peepholes = Float32Array.from(p.peepholes ?? []);
  const constants = [
    float(
      "W",
      [inputs + units, 4 * units],
      [...Array.from(p.inputWeights), ...Array.from(p.recurrentWeights)],
    ),
    float("b", [4 * units], p.bias),
    ...["pi", "pf", "po"].map((name, g) =>
      float(name, [1, units], peepholes.subarray(g * units, (g + 1) * units)),
    ),
    perUnit("s", (j) => p.shiftUs[j]!),
    perUnit("tau", (j) => p.periodUs[j]!),
    perUnit("slope", (j) => 2 / p.openRatio[j]!),
    initializer("two", [1], Float64Array.of(2)),
    initializer("zero", [1], Float64Array.of(0)),
    float("one", [1], [1]),
  ];
  const graph = message(
    7,
    ...stepNodes(),
    bytes(2, "phased-lstm-step"),
    ...constants,
    valueInfo(11, "t", "double", [1]),
    valueInfo(11, "x", "float", [1, inputs]),
    valueInfo(11, "h", "float", [1, units]),
    valueInfo(11, "c", "float", [1, units]),
    valueInfo(12, "nextH", "float", [1, units]),
    valueInfo(12, "nextC", "float", [1, units]),
  );
  return Buffer.concat([number(1, 7), graph, message(8, bytes(1, ""), number(2, 13))]);
}

/** Eq. 6 in float64, then Eqs. 1–10 in float32. */
function stepNodes(): Buffer[] {
  return [
    node("Sub", ["t", "s"], ["since"]),
    node("Div", ["since", "tau"], ["cycles"]),
    node("Floor", ["cycles"], ["whole"]),
    node("Sub", ["cycles", "whole"], ["phi"]),
    node("Mul", ["phi", "slope"], ["rise"]),
    node("Sub", ["two", "rise"], ["fall"]),
    node("Min", ["rise", "fall"], ["triangle"]),
    node("Max", ["triangle", "zero"], ["k64"]),
    node("Cast", ["k64"], ["k"], { to: elementCode.float }),
    node("Sub", ["one", "k"], ["rest"]),
    node("Concat", ["x", "h"], ["v"], { axis: 1 }),
    node("Gemm", ["v", "W", "b"], ["z"]),
    node("Split", ["z"], ["zi", "zf", "zg", "zo"], { axis: 1 }),
    node("Mul", ["pi", "c"], ["ci"]),
    node("Add", ["zi", "ci"], ["ai"]),
    node("Sigmoid", ["ai"], ["i"]),
    node("Mul", ["pf", "c"], ["cf"]),
    node("Add", ["zf", "cf"], ["af"]),
    node("Sigmoid", ["af"], ["f"]),
    node("Tanh", ["zg"], ["g"]),
    node("Mul", ["f", "c"], ["kept"]),
    node("Mul", ["i", "g"], ["written"]),
    node("Add", ["kept", "written"], ["candidateC"]),
    node("Mul", ["po", "candidateC"], ["co"]),
    node("Add", ["zo", "co"], ["ao"]),
    node("Sigmoid", ["ao"], ["o"]),
    node("Tanh", ["candidateC"], ["squashed"]),
    node("Mul", ["o", "squashed"], ["candidateH"]),
    ...["C", "H"].flatMap((name) => [
      node("Mul", ["k", `candidate${name}`], [`fresh${name}`]),
      node("Mul", ["rest", name.toLowerCase()], [`held${name}`]),
      node("Add", [`fresh${name}`, `held${name}`], [`next${name}`]),
    ]),
  ];
}
