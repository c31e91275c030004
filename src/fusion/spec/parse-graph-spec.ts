import type { GateMode } from "../../cells/gate.ts";
import {
  type GateSpec,
  type GovernedSpec,
  type GraphSpec,
  graphFormat,
  type HeadSpec,
  type LayerSpec,
  type OutputRole,
  type SensorSpec,
} from "./graph-spec.ts";
import {
  finiteNumber,
  openRatioRange,
  positiveInteger,
  positiveNumber,
  SpecReader,
  specError,
  wholeMicroseconds,
} from "./spec-reader.ts";
import { validateTopology } from "./validate-topology.ts";

const gateModes: readonly GateMode[] = ["phase", "aligned", "square", "own-event", "always"];
const outputRoles: readonly OutputRole[] = ["every-tick", "on-change", "last", "per-segment"];

/**
 * A graph specification from parsed JSON.
 *
 * @throws {PolyphaseError} BAD_MODEL with the path of the first thing that is wrong
 */
export function parseGraphSpec(json: unknown): GraphSpec {
  const reader = new SpecReader(json, "");
  const format = reader.string("format");
  if (format !== graphFormat) {
    throw specError(`format must be ${graphFormat}, got ${JSON.stringify(format)}`);
  }
  const time = reader.object("time");
  const spec: GraphSpec = {
    format,
    name: reader.string("name"),
    time: {
      origin: time.choice("origin", ["session-start", "absolute", "marker"]),
      epochUs: time.number("epochUs", wholeMicroseconds, 0),
    },
    sensors: reader.objects("sensors").map(parseSensor),
    layers: reader.objects("layers").map(parseLayer),
    heads: reader.objects("heads").map(parseHead),
    provenance: reader.record("provenance"),
  };
  time.end();
  reader.end();
  validateTopology(spec);
  return spec;
}

function parseSensor(reader: SpecReader): SensorSpec {
  const name = reader.string("name");
  const kind = reader.choice("kind", ["audio", "video", "dvs", "scalar"]);
  let sensor: SensorSpec;
  if (kind === "video") {
    sensor = {
      name,
      kind,
      ...frameSize(reader),
      mean: reader.number("mean", finiteNumber, 0),
      deviation: reader.number("deviation", positiveNumber, 1),
      ...(reader.field("convention") === undefined
        ? {}
        : { convention: reader.string("convention") }),
    };
  } else if (kind === "dvs") {
    const dimensions = reader.number("dimensions", positiveInteger);
    sensor = { name, kind, ...frameSize(reader), dimensions };
  } else {
    sensor = {
      name,
      kind,
      size: reader.number("size", positiveInteger),
      convention: reader.string("convention", kind === "scalar" ? "" : undefined),
      mean: reader.numbers("mean", finiteNumber),
      deviation: reader.numbers("deviation", positiveNumber),
    };
    expectLength(reader, "mean", sensor.mean.length, sensor.size);
    expectLength(reader, "deviation", sensor.deviation.length, sensor.size);
  }
  reader.end();
  return sensor;
}

function frameSize(reader: SpecReader): { readonly width: number; readonly height: number } {
  return {
    width: reader.number("width", positiveInteger),
    height: reader.number("height", positiveInteger),
  };
}

function expectLength(reader: SpecReader, name: string, length: number, size: number): void {
  if (length === 0 || length === size) return;
  throw specError(`${reader.fieldPath(name)} must have ${size} numbers or none, got ${length}`);
}

function parseLayer(reader: SpecReader): LayerSpec {
  const layer: LayerSpec = {
    name: reader.string("name"),
    cell: reader.choice("cell", ["phased-lstm", "lstm", "phased-gru"]),
    units: reader.number("units", positiveInteger),
    inputs: reader.strings("inputs"),
    merge: reader.choice("merge", ["concat", "product", "attention"], "concat"),
    onSilence: reader.choice("onSilence", ["hold", "zero"], "hold"),
    gate: parseGate(reader.object("gate")),
    ...(reader.field("governed") === undefined ? {} : { governed: parseGoverned(reader) }),
  };
  reader.end();
  return layer;
}

function parseGate(reader: SpecReader): GateSpec {
  const mode = reader.choice("mode", gateModes);
  const gate: GateSpec =
    mode === "aligned"
      ? {
          mode,
          periodUs: reader.number("periodUs", positiveNumber),
          alignUs: reader.number("alignUs", wholeMicroseconds, 0),
          openRatio: reader.number("openRatio", openRatioRange),
        }
      : { mode };
  reader.end();
  return gate;
}

function parseGoverned(layer: SpecReader): GovernedSpec {
  const reader = layer.object("governed");
  const governed = { floor: reader.number("floor", openRatioRange) };
  reader.end();
  return governed;
}

function parseHead(reader: SpecReader): HeadSpec {
  const type = reader.choice("type", ["softmax", "linear", "mixture"]);
  const base = {
    name: reader.string("name"),
    inputs: reader.strings("inputs"),
    output: reader.choice("output", outputRoles, "every-tick"),
  };
  let head: HeadSpec;
  if (type === "softmax") head = { type, ...base, labels: reader.strings("labels") };
  else if (type === "linear")
    head = { type, ...base, size: reader.number("size", positiveInteger) };
  else {
    head = {
      type,
      ...base,
      components: reader.number("components", positiveInteger),
      dimensions: reader.number("dimensions", positiveInteger),
      ...(reader.field("predicts") === undefined ? {} : { predicts: reader.string("predicts") }),
    };
  }
  reader.end();
  return head;
}
