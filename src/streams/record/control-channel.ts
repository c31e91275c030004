import { decisionJsonSchema } from "../../wire/decision-json.ts";
import { schemaNames } from "../../wire/schema.ts";
import { watermarkJsonSchema } from "../../wire/watermark-json.ts";
import { clockMapJsonSchema } from "../clock/clock-map-json.ts";

/** What a recording holds beside the items that went into the graph. */
export type ControlKind = "watermark" | "keyframe" | "clock-map" | "decision";

/** How the messages of one kind travel. */
export interface ControlSchema {
  readonly kind: ControlKind;
  readonly name: string;
  readonly encoding: string;
  /** MCAP registry name; empty for a keyframe, whose bytes are those of `encodeCheckpoint`. */
  readonly schemaEncoding: string;
  readonly schema: string;
}

const json = { encoding: "json", schemaEncoding: "jsonschema" } as const;

const schemaByKind: Readonly<Record<ControlKind, ControlSchema>> = {
  watermark: {
    kind: "watermark",
    name: schemaNames.watermark,
    ...json,
    schema: watermarkJsonSchema,
  },
  keyframe: {
    kind: "keyframe",
    name: schemaNames.keyframe,
    encoding: "polyphase-checkpoint",
    schemaEncoding: "",
    schema: "",
  },
  "clock-map": {
    kind: "clock-map",
    name: schemaNames.clockMap,
    ...json,
    schema: clockMapJsonSchema,
  },
  decision: { kind: "decision", name: schemaNames.decision, ...json, schema: decisionJsonSchema },
};

export function controlSchema(kind: ControlKind): ControlSchema {
  return schemaByKind[kind];
}

/** The control messages that are called `name`; undefined for anything else. */
export function findControlSchema(name: string): ControlSchema | undefined {
  return Object.values(schemaByKind).find((schema) => schema.name === name);
}
