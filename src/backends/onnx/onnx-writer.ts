/**
 * Just enough of the ONNX protobuf schema (onnx.proto, IR version 8) to write a feed-forward graph:
 * field numbers are those of the published schema.
 */

const wireVarint = 0;
const wireBytes = 2;

/** Element types by their numbers in the schema. */
const elementTypes = { float: 1, double: 11 } as const;
export type OnnxElement = keyof typeof elementTypes;

/** A protobuf field: its number and what it holds. */
type Field = readonly [number, number | string | Uint8Array];

/** One operator of a graph. */
export interface OnnxNode {
  readonly operator: string;
  /** Names of values; "" leaves an optional one out. */
  readonly inputs: readonly string[];
  readonly outputs: readonly string[];
  /** Lists of whole numbers by name: kernel_shape, strides, axes, … */
  readonly integers?: Readonly<Record<string, readonly number[]>>;
  /** Single whole numbers by name. */
  readonly integer?: Readonly<Record<string, number>>;
}

export interface OnnxTensor {
  readonly name: string;
  readonly shape: readonly number[];
  readonly data: Float32Array | Float64Array;
}

export interface OnnxGraph {
  readonly name: string;
  readonly nodes: readonly OnnxNode[];
  readonly initializers: readonly OnnxTensor[];
  readonly inputs: readonly OnnxValue[];
  readonly outputs: readonly OnnxValue[];
}

/** A value that goes in or out; a side of undefined may be any length. */
export interface OnnxValue {
  readonly name: string;
  /** `float` if absent. */
  readonly element?: OnnxElement;
  readonly shape: readonly (number | undefined)[];
}

/** The bytes of an ONNX model, operator set 13. The same graph gives the same bytes. */
export function encodeOnnx(graph: OnnxGraph): Uint8Array {
  const graphProto = message([
    ...graph.nodes.map((node): Field => [1, nodeProto(node)]),
    [2, graph.name],
    ...graph.initializers.map((tensor): Field => [5, tensorProto(tensor)]),
    ...graph.inputs.map((value): Field => [11, valueInfo(value)]),
    ...graph.outputs.map((value): Field => [12, valueInfo(value)]),
  ]);
  return message([
    [1, 8],
    [2, "polyphase"],
    [7, graphProto],
    [8, message([[2, 13]])],
  ]);
}

function nodeProto(node: OnnxNode): Uint8Array {
  const lists = Object.entries(node.integers ?? {}).map(([name, values]): Field => {
    return [5, message([[1, name], ...values.map((value): Field => [8, value]), [20, 7]])];
  });
  const singles = Object.entries(node.integer ?? {}).map(([name, value]): Field => {
    return [
      5,
      message([
        [1, name],
        [3, value],
        [20, 2],
      ]),
    ];
  });
  return message([
    ...node.inputs.map((input): Field => [1, input]),
    ...node.outputs.map((output): Field => [2, output]),
    [3, node.outputs.join("-")],
    [4, node.operator],
    ...lists,
    ...singles,
  ]);
}

function tensorProto({ name, shape, data }: OnnxTensor): Uint8Array {
  const raw = new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
  const type = elementTypes[data instanceof Float32Array ? "float" : "double"];
  return message([...shape.map((side): Field => [1, side]), [2, type], [8, name], [9, raw]]);
}

function valueInfo(value: OnnxValue): Uint8Array {
  const sides = value.shape.map((side, i): Field => {
    return [1, side === undefined ? message([[2, `n${i}`]]) : message([[1, side]])];
  });
  const tensorType = message([
    [1, elementTypes[value.element ?? "float"]],
    [2, message(sides)],
  ]);
  return message([
    [1, value.name],
    [2, message([[1, tensorType]])],
  ]);
}

/** A protobuf message of fields in the given order. */
function message(fields: readonly Field[]): Uint8Array {
  const parts: Uint8Array[] = [];
  for (const [number, value] of fields) {
    if (typeof value === "number") {
      parts.push(varint((number << 3) | wireVarint), varint(value));
      continue;
    }
    const bytes = typeof value === "string" ? new TextEncoder().encode(value) : value;
    parts.push(varint((number << 3) | wireBytes), varint(bytes.length), bytes);
  }
  const whole = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}

/** LEB128 of a whole number from 0. */
function varint(value: number): Uint8Array {
  const bytes: number[] = [];
  let rest = value;
  while (rest >= 0x80) {
    bytes.push((rest % 0x80) | 0x80);
    rest = Math.floor(rest / 0x80);
  }
  bytes.push(rest);
  return Uint8Array.from(bytes);
}
