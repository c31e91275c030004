import { step } from "./kernel";
import { Layer } from "./layer";
import { findOpen } from "./phase-scan";

/**
 * V8 replaces the unoptimised code of a function when it has executed so many bytes of it. Looking
 * at the gates of many units and computing few, all open, gets each function there in about as many
 * events, and no function much further.
 */
const EVENTS: u32 = 128;
const GATES: u32 = 512;
const UNITS: u32 = 16;
const INPUTS: u32 = 8;
const PERIOD_US: f64 = 1000;

/** Takes the next bytes of the memory given. */
let free: usize = 0;

function take(bytes: usize): usize {
  const address = free;
  free += bytes;
  return address;
}

function fill(length: u32, value: f64): usize {
  const address = take(<usize>length << 3);
  for (let i: usize = 0; i < <usize>length << 3; i += 8) store<f64>(address + i, value);
  return address;
}

/** The gate of a layer whose shifts are spread over the period; a multiple of 16 units. */
function makeGate(units: u32, openRatio: f64): Layer {
  const layer = changetype<Layer>(take(offsetof<Layer>()));
  const listed = <usize>units + 8;
  layer.units = units;
  layer.gate = 1;
  layer.periodUs = fill(units, PERIOD_US);
  layer.shiftUs = fill(units, 0);
  for (let j: u32 = 0; j < units; j++) {
    store<f64>(layer.shiftUs + (<usize>j << 3), (PERIOD_US * <f64>j) / <f64>units);
  }
  layer.frequency = fill(units, 1 / PERIOD_US);
  layer.openRatio = fill(units, openRatio);
  layer.slope = fill(units, 2 / openRatio);
  // All times are in the first epoch, whose phases are the first of those kept.
  layer.epochUs = PERIOD_US * 262144;
  layer.startUs = NaN;
  layer.keptStarts = fill(1, NaN);
  layer.keptBases = fill(units, 0);
  layer.coarse = take(<usize>units * 12);
  layer.openUnits = take(listed << 2);
  layer.openness = take(listed << 2);
  layer.z = take(listed << 4);
  return layer;
}

/** Makes a gate a layer whose weights are 0. */
function addWeights(layer: Layer): void {
  const units = <usize>layer.units;
  layer.inputs = INPUTS;
  layer.paddedUnits = layer.units;
  layer.columns = layer.units + INPUTS;
  layer.blocks = take((units * <usize>layer.columns) << 4);
  layer.bias = take(units << 4);
  layer.peepholes = take(units << 4);
}

/**
 * Runs a gate and a layer in 64 KiB of zeros, until their functions are about to be optimised.
 *
 * @returns the layer
 */
export function preWarm(memory: usize): Layer {
  free = memory;
  const gate = makeGate(GATES, 1.0 / 4.0);
  const layer = makeGate(UNITS, 1);
  addWeights(layer);
  const state = take(<usize>(2 * UNITS + INPUTS) << 2);
  for (let n: u32 = 0; n < EVENTS; n++) {
    const timeUs = 100 * <f64>n;
    findOpen(gate, timeUs);
    step(layer, state, timeUs);
  }
  return layer;
}
