import type { LayerKernel } from "../../cells/kernels/kernel.ts";
import { PolyphaseError } from "../../sensors/polyphase-error.ts";
import type { TimeUs } from "../../sensors/time.ts";
import { type CostRate, narrowToFit, widenIfFits } from "./fit-levels.ts";
import { type Governor, openScale } from "./governor.ts";

/** A layer was narrowed or widened: enough to do the same again. */
export interface GovernorDecision {
  /** The first event it holds for. */
  readonly timeUs: TimeUs;
  readonly layer: string;
  /** r_on from here on, as a share of the trained one: a multiple of 1/8. */
  readonly openScale: number;
  /** What led to it: estimated CPU time per second of event time, and the budget, µs. */
  readonly spentUs: number;
  readonly budgetUs: number;
}

/** Where one stream stands with its budget. */
export interface GovernorState {
  readonly governor: Governor;
  /** Per layer: how many levels it is narrowed by. */
  readonly levels: Uint8Array;
  /** Per layer: estimated cost of the units opened in the window under way, ns. */
  readonly unitsNs: Float64Array;
  readonly progress: GovernorProgress;
  readonly onDecision: ((decision: GovernorDecision) => void) | undefined;
  readonly source: DecisionSource;
  /** What followDecision() was told, in order of time. */
  readonly recorded: GovernorDecision[];
}

/** `rule`: the governor decides. `recorded`: followDecision() is told what was decided. */
export type DecisionSource = "rule" | "recorded";

export interface GovernorProgress {
  /** Estimated cost of calls and gates in the window under way, ns. */
  fixedNs: number;
  /** Event time that has passed in the window under way, µs. */
  windowUs: number;
  /** Latest event time of the session; NaN before its first. */
  timeUs: TimeUs;
  /** Windows in a row that would have let a layer be widened. */
  calmWindows: number;
  /** Changes of a layer. */
  decisions: number;
  /** Windows in which the budget was exceeded with all layers at their floors. */
  overspentWindows: number;
  /** How many of the recorded decisions have been taken. */
  followed: number;
}

export interface GovernorStateOptions {
  /** Told of each change of a layer, before anything is computed with it. */
  readonly onDecision?: (decision: GovernorDecision) => void;
  /** Default `rule`. */
  readonly source?: DecisionSource;
}

/** Event time after which spending is compared with the budget. */
const windowLengthUs = 1_000_000;
/** So many calm windows in a row before a layer is widened by one level. */
const calmWindowsMin = 4;

/** A stream's state under a budget, all layers as trained. */
export function createGovernorState(
  governor: Governor,
  { onDecision, source = "rule" }: GovernorStateOptions = {},
): GovernorState {
  return {
    governor,
    levels: new Uint8Array(governor.layers.length),
    unitsNs: new Float64Array(governor.layers.length),
    progress: {
      fixedNs: 0,
      windowUs: 0,
      timeUs: Number.NaN,
      calmWindows: 0,
      decisions: 0,
      overspentWindows: 0,
      followed: 0,
    },
    onDecision,
    source,
    recorded: [],
  };
}

/** A governor's state as JSON, for a checkpoint. */
export interface GovernorRecord {
  readonly levels: readonly number[];
  readonly unitsNs: readonly number[];
  readonly progress: Omit<GovernorProgress, "timeUs" | "followed"> & {
    readonly timeUs: TimeUs | null;
  };
}

export function governorRecord({ levels, unitsNs, progress }: GovernorState): GovernorRecord {
  const { followed: _, ...account } = progress;
  const timeUs = Number.isNaN(progress.timeUs) ? null : progress.timeUs;
  return { levels: [...levels], unitsNs: [...unitsNs], progress: { ...account, timeUs } };
}

/** @param record of a governor with the same layers; a new state's if absent */
export function restoreGovernor(
  state: GovernorState | undefined,
  record: GovernorRecord | undefined,
): void {
  if (state === undefined) return;
  const { levels, unitsNs, progress } =
    record ?? governorRecord(createGovernorState(state.governor));
  state.levels.set(levels);
  state.unitsNs.set(unitsNs);
  Object.assign(state.progress, progress, { timeUs: progress.timeUs ?? Number.NaN });
}

/** What computes a layer at its present level. */
export function kernelOf({ governor, levels }: GovernorState, layer: number): LayerKernel {
  return governor.layers[layer]!.kernels[levels[layer]!]!;
}

/** Counts a step of a layer. */
export function spend(state: GovernorState, layer: number, open: number): void {
  const { fixedNs, unitNs } = state.governor.layers[layer]!.cost;
  state.progress.fixedNs += fixedNs;
  state.unitsNs[layer]! += open * unitNs;
}

/**
 * Called before anything of `timeUs` is computed. When a second of event time has passed, it
 * narrows or widens for what comes. A function of the order of events, and of nothing else: a replay
 * decides the same, bit for bit. Events that are late change nothing.
 */
export function govern(state: GovernorState, timeUs: TimeUs): void {
  const { progress } = state;
  if (timeUs <= progress.timeUs) return;
  const passedUs = timeUs - progress.timeUs;
  progress.timeUs = timeUs;
  if (!Number.isNaN(passedUs)) progress.windowUs += passedUs;
  if (progress.windowUs >= windowLengthUs) closeWindows(state, timeUs);
  takeRecorded(state);
}

/**
 * Narrows or widens as was decided when the stream was recorded: before the first event at or after
 * the decision's time, or at once if that has passed. Decisions come in order of time.
 *
 * @throws {PolyphaseError} BAD_DATA if it is not a decision about this graph and its floors
 */
export function followDecision(state: GovernorState, decision: GovernorDecision): void {
  levelOf(state.governor, decision);
  state.recorded.push(decision);
  takeRecorded(state);
}

function takeRecorded(state: GovernorState): void {
  const { progress, recorded } = state;
  for (;;) {
    const decision = recorded[progress.followed];
    if (decision === undefined || !(decision.timeUs <= progress.timeUs)) return;
    progress.followed++;
    const { layer, level } = levelOf(state.governor, decision);
    take(state, layer, level, decision);
  }
}

/** A new session: time may begin anywhere. The load is the device's, so the levels stay. */
export function beginGovernedSession({ progress }: GovernorState): void {
  progress.timeUs = Number.NaN;
}

function closeWindows(state: GovernorState, timeUs: TimeUs): void {
  const { governor, levels, unitsNs, progress, source } = state;
  const windows = Math.floor(progress.windowUs / windowLengthUs);
  // What was spent before a silence is what the silence costs too, spread over it.
  const rate: CostRate = {
    fixedNs: progress.fixedNs / windows,
    unitsNs: unitsNs.map((spent) => spent / windows),
  };
  const spentUs = rate.unitsNs.reduce((sum, spent) => sum + spent, rate.fixedNs) / 1000;
  const wanted = levels.slice();
  adjust(governor, wanted, rate, progress, windows);
  progress.windowUs -= windows * windowLengthUs;
  progress.fixedNs = 0;
  unitsNs.fill(0);
  if (source === "recorded") return;
  wanted.forEach((level, layer) => {
    if (level === levels[layer]) return;
    const decision = {
      timeUs,
      layer: governor.layers[layer]!.name,
      openScale: openScale(level),
      spentUs,
      budgetUs: governor.usPerSecond,
    };
    take(state, layer, level, decision);
  });
}

/** The rule. */
function adjust(
  governor: Governor,
  levels: Uint8Array,
  rate: CostRate,
  progress: GovernorProgress,
  windows: number,
): void {
  const before = levels.slice();
  if (!narrowToFit(governor, levels, rate)) progress.overspentWindows += windows;
  const isNarrowed = levels.some((level, i) => level !== before[i]);
  const isCalm = !isNarrowed && widenIfFits(governor, levels, rate, false);
  progress.calmWindows = isCalm ? progress.calmWindows + windows : 0;
  while (progress.calmWindows >= calmWindowsMin && widenIfFits(governor, levels, rate, true)) {
    progress.calmWindows -= calmWindowsMin;
  }
  if (levels.every((level) => level === 0)) progress.calmWindows = 0;
}

function take(
  state: GovernorState,
  layer: number,
  level: number,
  decision: GovernorDecision,
): void {
  state.levels[layer] = level;
  state.progress.decisions++;
  state.onDecision?.(decision);
}

function levelOf(
  governor: Governor,
  { layer: name, openScale: scale }: GovernorDecision,
): { readonly layer: number; readonly level: number } {
  const layer = governor.layers.findIndex((candidate) => candidate.name === name);
  const kernels = governor.layers[layer]?.kernels ?? [];
  const level = kernels.findIndex((_, candidate) => openScale(candidate) === scale);
  if (level >= 0) return { layer, level };
  const what =
    layer < 0
      ? `its layer must be one of ${governor.layers.map((each) => each.name).join(", ")}, got ${name}`
      : `openScale of ${name} must be a multiple of 1/8 from ${openScale(kernels.length - 1)} to 1, got ${scale}`;
  throw new PolyphaseError("BAD_DATA", `Cannot follow governor decision: ${what}`);
}
