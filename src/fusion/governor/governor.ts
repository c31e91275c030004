import { hasOscillator } from "../../cells/gate.ts";
import type { LayerKernel } from "../../cells/kernels/kernel.ts";
import { PolyphaseError } from "../../sensors/polyphase-error.ts";
import type { FusionGraph, GraphLayer } from "../fusion-graph.ts";
import { type StepCost, stepCost } from "../step-cost.ts";

/** How much compute a stream may take, and which layers may be narrowed for it. */
export interface ComputeBudget {
  /** Estimated CPU time per second of event time, µs, of all layers together. */
  readonly usPerSecond: number;
  /**
   * Floors by layer: the least share of its trained r_on that a layer may be narrowed to. Default:
   * the layers that the graph's specification marks `governed`.
   */
  readonly floors?: ReadonlyMap<string, number>;
  /** CPU time here over that of the machine that stepCost() describes. Default 1. */
  readonly costFactor?: number;
}

/** A layer as the governor sees it. */
export interface GovernedLayer {
  readonly name: string;
  readonly cost: StepCost;
  /** By level; level 0 is the layer as trained. Only one if the layer may not be narrowed. */
  readonly kernels: readonly LayerKernel[];
}

/** A budget ready to be held by any number of streams of one thread. Immutable. */
export interface Governor {
  readonly usPerSecond: number;
  readonly costFactor: number;
  /** In the order of the graph's layers. */
  readonly layers: readonly GovernedLayer[];
}

/** A level takes this share of the trained r_on away. */
const levelShare = 1 / 8;

/** Share of its trained r_on that a layer opens with. A multiple of 1/8: exact in binary. */
export function openScale(level: number): number {
  return 1 - level * levelShare;
}

/**
 * Prepares the narrower gates of the layers that may be narrowed.
 *
 * @throws {PolyphaseError} BAD_CONFIG if a number is out of range, or a layer is unknown or has no
 *   r_on to narrow, or no layer may be narrowed
 */
export function createGovernor(graph: FusionGraph, budget: ComputeBudget): Governor {
  const { usPerSecond, costFactor = 1 } = budget;
  requirePositive("budget", usPerSecond);
  requirePositive("cost factor", costFactor);
  const floors = budget.floors ?? markedFloors(graph);
  requireLayers(graph, floors);
  const layers = graph.layers.map((layer): GovernedLayer => {
    const { fixedNs, unitNs } = stepCost(layer.parameters);
    return {
      name: layer.spec.name,
      cost: { fixedNs: costFactor * fixedNs, unitNs: costFactor * unitNs },
      kernels: kernelsByLevel(layer, floors.get(layer.spec.name) ?? 1),
    };
  });
  return { usPerSecond, costFactor, layers };
}

function markedFloors(graph: FusionGraph): ReadonlyMap<string, number> {
  return new Map(
    graph.spec.layers.flatMap(({ name, governed }) => {
      return governed === undefined ? [] : [[name, governed.floor] as const];
    }),
  );
}

function kernelsByLevel({ kernel, parameters }: GraphLayer, floor: number): LayerKernel[] {
  const kernels = [kernel];
  for (let level = 1; openScale(level) >= floor; level++) {
    const ratios = Float64Array.from(parameters.openRatio, (ratio) => ratio * openScale(level));
    kernels.push(kernel.withOpenRatio(ratios));
  }
  return kernels;
}

function requirePositive(what: string, value: number): void {
  if (value > 0 && Number.isFinite(value)) return;
  throw governorError(`${what} must be a finite number > 0, got ${value}`);
}

function requireLayers(graph: FusionGraph, floors: ReadonlyMap<string, number>): void {
  const gated = graph.spec.layers.filter(({ gate }) => hasOscillator(gate.mode));
  const names = gated.map(({ name }) => name).join(", ");
  if (floors.size === 0) {
    throw governorError(
      `a layer must be named, or marked governed in the model, to be narrowed (${names}), got none`,
    );
  }
  for (const [name, floor] of floors) {
    if (!gated.some((layer) => layer.name === name)) {
      throw governorError(`a layer to be narrowed must be one of ${names || "none"}, got ${name}`);
    }
    if (!(floor > 0 && floor <= 1)) {
      throw governorError(`the floor of ${name} must be in (0, 1], got ${floor}`);
    }
  }
}

function governorError(what: string): PolyphaseError {
  return new PolyphaseError("BAD_CONFIG", `Cannot hold compute budget: ${what}`);
}
