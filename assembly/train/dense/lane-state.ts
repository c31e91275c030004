import * as at from "../layout";
import { eventOf, firstEventOf, sequenceOf } from "../rounds";
import { isRead } from "../sequences";
import { elementBytes } from "./lanes-of";

/** Writes v = [h, 0 …, 1, 0 …] of every sequence; the inputs between come with each event. */
export function beginLanes(layout: usize): void {
  const stride = elementBytes(layout);
  const units = at.units(layout);
  memory.fill(at.v(layout), 0, at.length(layout) * stride);
  eachLane(layout, at.v(layout), at.stateH(layout), true);
  const one = at.v(layout) + (units + at.inputs(layout)) * stride;
  for (let lane: usize = 0; lane < stride; lane += 4) store<f32>(one + lane, 1);
}

/** Writes the c that sequences begin with. */
export function beginCells(layout: usize): void {
  memory.fill(at.c(layout), 0, at.units(layout) * elementBytes(layout));
  eachLane(layout, at.c(layout), at.stateC(layout), true);
}

/** Writes the h and c that sequences end with. */
export function endLanes(layout: usize): void {
  eachLane(layout, at.v(layout), at.stateH(layout), false);
  eachLane(layout, at.c(layout), at.stateC(layout), false);
}

/** Copies one float32 of each unit of each sequence from its state to its lane, or back. */
@inline
function eachLane(layout: usize, lanes: usize, states: usize, isToLane: bool): void {
  const stride = elementBytes(layout);
  const units = at.units(layout);
  const end = firstEventOf(layout, 1);
  for (let place = firstEventOf(layout, 0); place < end; place += 8, lanes += 4) {
    const state = states + ((sequenceOf(place) * units) << 2);
    if (isToLane) copyToLane(lanes, stride, state, units);
    else copyFromLane(state, lanes, stride, units);
  }
}

/** Writes the inputs of a round behind h. */
export function writeInputLanes(layout: usize, round: usize): void {
  const stride = elementBytes(layout);
  const inputs = at.inputs(layout);
  const end = firstEventOf(layout, round + 1);
  let lane = at.v(layout) + at.units(layout) * stride;
  for (let place = firstEventOf(layout, round); place < end; place += 8, lane += 4) {
    copyToLane(lane, stride, at.x(layout) + ((eventOf(place) * inputs) << 2), inputs);
  }
}

/** Puts out h of a round where it is read. */
export function writeOutputs(layout: usize, round: usize): void {
  const stride = elementBytes(layout);
  const units = at.units(layout);
  const end = firstEventOf(layout, round + 1);
  let lane = at.v(layout);
  for (let place = firstEventOf(layout, round); place < end; place += 8, lane += 4) {
    const n = eventOf(place);
    if (!isRead(layout, sequenceOf(place), n)) continue;
    copyFromLane(at.h(layout) + ((n * units) << 2), lane, stride, units);
  }
}

/** Adds the derivatives by the h of a round, where it is read, to those by v, and clears the others. */
export function addOutputGradients(layout: usize, round: usize): void {
  const stride = elementBytes(layout);
  const units = at.units(layout);
  const end = firstEventOf(layout, round + 1);
  let lane = at.vGradient(layout);
  memory.fill(lane + units * stride, 0, (at.length(layout) - units) * stride);
  for (let place = firstEventOf(layout, round); place < end; place += 8, lane += 4) {
    const n = eventOf(place);
    if (!isRead(layout, sequenceOf(place), n)) continue;
    addToLane(lane, stride, at.hGradient(layout) + ((n * units) << 2), units);
  }
}

/** Puts out the derivatives by the inputs of a round. */
export function writeInputGradients(layout: usize, round: usize): void {
  const stride = elementBytes(layout);
  const inputs = at.inputs(layout);
  const end = firstEventOf(layout, round + 1);
  let lane = at.vGradient(layout) + at.units(layout) * stride;
  for (let place = firstEventOf(layout, round); place < end; place += 8, lane += 4) {
    copyFromLane(at.xGradient(layout) + ((eventOf(place) * inputs) << 2), lane, stride, inputs);
  }
}

/** Copies `count` float32 to one lane of as many elements, `stride` bytes apart. */
function copyToLane(to: usize, stride: usize, from: usize, count: usize): void {
  for (const end = from + (count << 2); from < end; from += 4, to += stride) {
    store<f32>(to, load<f32>(from));
  }
}

function addToLane(to: usize, stride: usize, from: usize, count: usize): void {
  for (const end = from + (count << 2); from < end; from += 4, to += stride) {
    store<f32>(to, load<f32>(to) + load<f32>(from));
  }
}

function copyFromLane(to: usize, from: usize, stride: usize, count: usize): void {
  for (const end = to + (count << 2); to < end; to += 4, from += stride) {
    store<f32>(to, load<f32>(from));
  }
}
