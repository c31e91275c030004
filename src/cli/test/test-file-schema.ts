import { z } from "zod";
import type { TestFile } from "./test-file.ts";

const microsecondsPerUnit: Readonly<Record<string, number>> = {
  us: 1,
  ms: 1e3,
  s: 1e6,
  m: 60e6,
  h: 3600e6,
};
const durationPattern = /^(\d+(?:\.\d+)?) ?(us|ms|s|m|h)$/;

/** A time with its unit, in microseconds. */
const error = "must be a time with its unit (us, ms, s, m or h), e.g. 12.5ms";
const duration = z
  .union([z.literal(0), z.string().regex(durationPattern, { error })], { error })
  .describe("a time with its unit: us, ms, s, m or h, e.g. 12.5ms; or 0")
  .transform((value) => {
    const match = durationPattern.exec(String(value));
    return match === null ? 0 : Math.round(Number(match[1]) * microsecondsPerUnit[match[2]!]!);
  });

const whole = z.int().min(0);
const status = z.enum(["idle", "left", "joined"]);
const arrival = {
  at: duration.describe("when it arrives, on the virtual clock, which begins at 0"),
  time: duration.optional().describe("event time (default: at)"),
  seq: whole.optional().describe("sequence number (default: one more than the sensor's last)"),
};

const wave = z.strictObject({
  every: duration,
  count: z.int().min(1).max(1_000_000),
  wave: z.enum(["constant", "ramp", "sine", "noise"]).default("constant"),
  amplitude: z.number().default(1),
  period: duration.prefault("100ms"),
  seed: whole.default(1),
});

const dvsEvent = z.tuple([duration, whole, whole, z.union([z.literal(0), z.literal(1)])]);

const forms = {
  values: z.strictObject({ ...arrival, sensor: z.string(), values: z.array(z.number()) }),
  events: z.strictObject({ ...arrival, sensor: z.string(), events: z.array(dvsEvent).min(1) }),
  grey: z.strictObject({ ...arrival, sensor: z.string(), grey: z.int().min(0).max(255) }),
  status: z.strictObject({ ...arrival, sensor: z.string(), status }),
  marker: z.strictObject({
    ...arrival,
    marker: z.enum(["session-start", "segment-start", "segment-end"]),
    label: z.string().default(""),
  }),
  generate: z.strictObject({ ...arrival, sensor: z.string(), generate: wave }),
  recording: z.strictObject({ at: duration, recording: z.string() }),
};

/** One of `forms`, by the key that only it has: an error speaks of that form alone. */
const anyInput = z.record(z.string(), z.unknown());
const input = anyInput.transform((value, context) => {
  const found = Object.keys(forms).filter((form) => form in value);
  if (found.length !== 1) {
    const names = Object.keys(forms).join(", ");
    const message = `must have exactly one of ${names}, has ${found.join(" and ") || "none"}`;
    context.issues.push({ code: "custom", message, input: value });
    return z.NEVER;
  }
  const parsed = forms[found[0] as keyof typeof forms].safeParse(value);
  if (parsed.success) return parsed.data;
  for (const { path, message } of parsed.error.issues) {
    context.issues.push({ code: "custom", message, path: [...path], input: value });
  }
  return z.NEVER;
});

const prediction = z.strictObject({
  at: duration.optional().describe("when it is said, on the virtual clock"),
  time: duration.optional(),
  head: z.string().optional(),
  label: z.string().optional(),
  values: z.array(z.number()).optional(),
  tolerance: z.number().min(0).default(1e-6),
  revision: whole.optional(),
  retracted: z.boolean().optional(),
});

const counts = z.record(z.string(), whole);

const expectations = z.strictObject({
  predictions: z.array(prediction).optional(),
  predictionCount: whole.optional(),
  lastPrediction: prediction.optional(),
  taken: whole.optional(),
  fused: whole.optional(),
  dropped: counts.optional(),
  anomalies: counts.optional(),
  watermarks: z.array(z.strictObject({ at: duration, is: duration.optional() })).optional(),
  statuses: z
    .array(z.strictObject({ at: duration.optional(), sensor: z.string(), is: status }))
    .optional(),
  sameAs: z.string().optional(),
});

const testCase = z.strictObject({
  name: z.string().min(1),
  input: z.array(input),
  until: duration.optional(),
  expect: expectations,
});

const sensor = z.strictObject({
  lateness: duration.prefault(0),
  idle: duration.optional(),
  joined: z.boolean().default(true),
  clock: z.enum(["trusted", "offset", "offset+drift"]).default("trusted"),
});

const limits = z.strictObject({
  waiting: whole.default(16_384),
  future: duration.optional(),
  backward: duration.optional(),
  duplicates: z.int().min(1).optional(),
});

const late = z.strictObject({
  policy: z.enum(["drop", "rewind", "apply-late"]),
  horizon: duration.prefault("1s"),
});

/** What a `*.test.yaml` file may say. */
const schema = z
  .strictObject({
    model: z.string().optional(),
    graph: z.string().optional(),
    seed: whole.default(1),
    stream: z.string().min(1).default("test"),
    sensors: z.record(z.string(), sensor).prefault({}),
    late: late.prefault({ policy: "drop" }),
    limits: limits.prefault({}),
    tests: z.array(testCase).min(1),
  })
  .refine((file) => (file.model === undefined) !== (file.graph === undefined), {
    error: "must name either a model or a graph",
  });

export const testFileSchema: z.ZodType<TestFile> = schema;

/** The same as JSON Schema, for editors. */
export function testFileJsonSchema(): object {
  // Which form an entry of `input` has is told by code; what the forms are, is data.
  const oneOf = Object.values(forms).map((form) => z.toJSONSchema(form, { io: "input" }));
  return z.toJSONSchema(schema, {
    io: "input",
    override: ({ zodSchema, jsonSchema }) => {
      if (zodSchema !== anyInput) return;
      for (const key of Object.keys(jsonSchema)) delete jsonSchema[key];
      jsonSchema.oneOf = oneOf.map(({ $schema: _, ...form }) => form);
    },
  });
}
