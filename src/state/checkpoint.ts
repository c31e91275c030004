import { createHash } from "node:crypto";
import { gateCount } from "../cells/layer-parameters.ts";
import type { FusionModel } from "../fusion/fusion-model.ts";
import type { FusionState } from "../fusion/fusion-state.ts";
import {
  type GovernorRecord,
  type GovernorState,
  governorRecord,
  restoreGovernor,
} from "../fusion/governor/govern.ts";
import { openScale } from "../fusion/governor/governor.ts";
import { readHead } from "../fusion/read-head.ts";
import { PolyphaseError } from "../sensors/polyphase-error.ts";

const magic = "PPCK";
const version = 2;
const digestBytes = 32;

/** The part of a checkpoint that is JSON. */
interface CheckpointHeader {
  readonly model: string;
  readonly stream: string;
  readonly scalar: "float32" | "float64";
  readonly epochUs: number | null;
  readonly ticks: number;
  readonly timeUs: number | null;
  readonly sensorTimeUs: readonly (number | null)[];
  readonly sensorEvents: readonly number[];
  readonly lastClass: readonly number[];
  /** Per head: 1 where its next prediction is not held. */
  readonly headStale: readonly number[];
  readonly steps: readonly number[];
  readonly unitUpdates: readonly number[];
  /** Absent without a compute budget. */
  readonly governor?: GovernorRecord;
}

/**
 * One stream's state as bytes: "PPCK", u32 version, u32 length of a JSON header, the header, then
 * per sensor its features and per layer c (not for GRU) and h, little-endian and without the padding
 * of any kernel, and last the sha256 of all before it.
 */
export function encodeCheckpoint(
  state: FusionState,
  model: FusionModel,
  stream: string,
): Uint8Array {
  const { progress, work } = state;
  const header: CheckpointHeader = {
    model: model.hash,
    stream,
    scalar: state.arena instanceof Float32Array ? "float32" : "float64",
    epochUs: progress.epochUs ?? null,
    ticks: progress.ticks,
    timeUs: progress.timeUs ?? null,
    sensorTimeUs: Array.from(progress.sensorTimeUs, (t) => (Number.isNaN(t) ? null : t)),
    sensorEvents: [...progress.sensorEvents],
    lastClass: [...state.lastClass],
    headStale: [...state.headStale],
    steps: [...work.steps],
    unitUpdates: [...work.unitUpdates],
    ...(state.governor === undefined ? {} : { governor: governorRecord(state.governor) }),
  };
  const text = Buffer.from(JSON.stringify(header));
  const fixed = Buffer.alloc(12);
  fixed.write(magic, 0, "latin1");
  fixed.writeUInt32LE(version, 4);
  fixed.writeUInt32LE(text.length, 8);
  const numbers = stateViews(state).map((view) =>
    Buffer.from(view.buffer, view.byteOffset, view.byteLength),
  );
  const body = Buffer.concat([fixed, text, ...numbers]);
  return Buffer.concat([body, createHash("sha256").update(body).digest()]);
}

/**
 * Brings `state` to a checkpoint: what follows is bit for bit what followed it, predictions with
 * what they say of being held included.
 *
 * @returns the stream the checkpoint belongs to
 * @throws {PolyphaseError} BAD_CHECKPOINT if it is damaged or of another model or precision;
 *   `state` is untouched then
 */
export function restoreCheckpoint(
  state: FusionState,
  model: FusionModel,
  checkpoint: Uint8Array,
): string {
  const bytes = Buffer.from(checkpoint.buffer, checkpoint.byteOffset, checkpoint.byteLength);
  const { header, numbers } = parseCheckpoint(bytes);
  const scalar = state.arena instanceof Float32Array ? "float32" : "float64";
  if (header.model !== model.hash) {
    throw checkpointError(`must be of model ${model.hash}, got ${header.model}`);
  }
  if (header.scalar !== scalar) throw checkpointError(`must hold ${scalar}, got ${header.scalar}`);
  requireGovernor(state.governor, header.governor);
  const views = stateViews(state);
  const expected = views.reduce((sum, view) => sum + view.byteLength, 0);
  if (numbers.length !== expected) {
    throw checkpointError(`must hold ${expected} bytes of state, got ${numbers.length}`);
  }
  let at = 0;
  for (const view of views) {
    const target = Buffer.from(view.buffer, view.byteOffset, view.byteLength);
    numbers.copy(target, 0, at, at + view.byteLength);
    at += view.byteLength;
  }
  const { progress, work } = state;
  progress.epochUs = header.epochUs ?? undefined;
  progress.ticks = header.ticks;
  progress.timeUs = header.timeUs ?? undefined;
  progress.sensorTimeUs.set(header.sensorTimeUs.map((t) => t ?? Number.NaN));
  progress.sensorEvents.set(header.sensorEvents);
  state.lastClass.set(header.lastClass);
  work.steps.set(header.steps);
  work.unitUpdates.set(header.unitUpdates);
  restoreGovernor(state.governor, header.governor);
  state.news = 0;
  restoreHeads(state, header.headStale);
  return header.stream;
}

/**
 * How many events a checkpoint's stream had taken in beyond those of `state`, of all sensors together.
 *
 * @throws {PolyphaseError} BAD_CHECKPOINT if it is damaged
 */
export function eventsAhead(state: FusionState, checkpoint: Uint8Array): number {
  const { header } = parseCheckpoint(
    Buffer.from(checkpoint.buffer, checkpoint.byteOffset, checkpoint.byteLength),
  );
  const { sensorEvents } = state.progress;
  return header.sensorEvents.reduce((sum, events, i) => sum + events - sensorEvents[i]!, 0);
}

/** A head that is not stale has the value that its inputs give: the same bits as it had. */
function restoreHeads(state: FusionState, headStale: readonly number[]): void {
  state.headStale.fill(1);
  headStale.forEach((stale, head) => {
    if (stale === 0) readHead(state, head);
  });
}

/** sha256 over the checkpoints of all streams, in order of their names. */
export function stateHash(
  states: ReadonlyMap<string, { readonly state: FusionState }>,
  model: FusionModel,
): string {
  const hash = createHash("sha256");
  for (const stream of [...states.keys()].sort()) {
    hash.update(encodeCheckpoint(states.get(stream)!.state, model, stream));
  }
  return hash.digest("hex");
}

/** The numbers that are state, without padding and without inputs that are copied anew. */
function stateViews(state: FusionState): readonly (Float32Array | Float64Array)[] {
  return [
    ...state.features,
    ...state.graph.layers.flatMap(({ spec, index }) => {
      const { c, h } = state.layers[index]!;
      return gateCount(spec.cell) === 4 ? [c, h] : [h];
    }),
  ];
}

function parseCheckpoint(bytes: Buffer): {
  readonly header: CheckpointHeader;
  readonly numbers: Buffer;
} {
  if (bytes.length < 12 + digestBytes || bytes.toString("latin1", 0, 4) !== magic) {
    throw checkpointError(`must begin with ${magic}, got ${bytes.length} bytes of something else`);
  }
  if (bytes.readUInt32LE(4) !== version) {
    throw checkpointError(`must have version ${version}, got ${bytes.readUInt32LE(4)}`);
  }
  const body = bytes.subarray(0, bytes.length - digestBytes);
  const digest = createHash("sha256").update(body).digest();
  if (!digest.equals(bytes.subarray(bytes.length - digestBytes))) {
    throw checkpointError("must end with the sha256 of its bytes, got another: it is damaged");
  }
  const headerEnd = 12 + bytes.readUInt32LE(8);
  const header = JSON.parse(body.toString("utf8", 12, headerEnd)) as CheckpointHeader;
  return { header, numbers: body.subarray(headerEnd) };
}

function requireGovernor(
  state: GovernorState | undefined,
  record: GovernorRecord | undefined,
): void {
  if (record === undefined) return;
  if (state === undefined) {
    throw checkpointError("must be of a run without compute budget, got one with");
  }
  const { layers } = state.governor;
  const i = record.levels.findIndex((level, layer) => level >= layers[layer]!.kernels.length);
  if (i < 0) return;
  const narrowest = openScale(layers[i]!.kernels.length - 1);
  throw checkpointError(
    `must open ${layers[i]!.name} with ${narrowest} of its r_on or more, got ${openScale(record.levels[i]!)}`,
  );
}

function checkpointError(what: string): PolyphaseError {
  return new PolyphaseError("BAD_CHECKPOINT", `Cannot restore checkpoint: it ${what}`);
}
