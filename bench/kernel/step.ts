import { createSparseKernel } from "../../src/cells/kernels/sparse-kernel.ts";
import { createWasmKernel } from "../../src/cells/kernels/wasm-kernel.ts";
import type { LayerParameters } from "../../src/cells/layer-parameters.ts";
import { interleave, type Variant } from "../interleave.ts";
import { buildNativeLimit } from "../peers/native-limit.ts";
import { createOnnxruntimeStep } from "../peers/onnxruntime-step.ts";
import type { Peer } from "../peers/peer.ts";
import { createTfjsStep } from "../peers/tfjs-step.ts";
import type { Report } from "../report.ts";
import { batched, perEvent } from "./our-peers.ts";
import { EVENTS, type Events, randomEvents, randomLayer, shapeName, shapes } from "./workload.ts";

const ROUNDS = 15;

/** The whole step against the peers, r_on = 0.05, 10 ms between events. */
export async function benchStep(report: Report): Promise<void> {
  for (const shape of shapes) {
    const parameters = randomLayer(shape, 0.05);
    const events = randomEvents(shape.inputs, EVENTS, 10_000);
    const peers = await createPeers(parameters, events);
    await checkOutputs(peers, events);
    const variants = Array.from(
      peers,
      ([name, { peer, count }]): Variant => ({
        name,
        events: count,
        run: () => peer.run(events, count),
      }),
    );
    const timings = await interleave(variants, ROUNDS);
    const at = shapeName(shape);
    report.rowsOf(timings, at);
    report.ratioOf(`ort-vs-call:${at}`, timings, "ort", "call");
    report.ratioOf(`ort-2-threads-vs-call:${at}`, timings, "ort-2-threads", "call", "wall");
    report.ratioOf(`tfjs-wasm-vs-call:${at}`, timings, "tfjs-wasm", "call");
    report.ratioOf(`tfjs-cpu-vs-call:${at}`, timings, "tfjs-cpu", "call");
    report.ratioOf(`dense-vs-call:${at}`, timings, "dense", "call");
    report.ratioOf(`typescript-vs-call:${at}`, timings, "typescript", "call");
    if (peers.has("native")) report.ratioOf(`batch-vs-native:${at}`, timings, "batch", "native");
  }
}

interface Contender {
  readonly peer: Peer;
  /** Events a round: fewer for the slow ones. */
  readonly count: number;
}

async function createPeers(
  parameters: LayerParameters,
  events: Events,
): Promise<Map<string, Contender>> {
  const wasm = createWasmKernel();
  const native = buildNativeLimit()?.create(parameters);
  const all = new Map<string, Contender>([
    ["call", { peer: perEvent(wasm, parameters), count: EVENTS }],
    ["batch", { peer: batched(wasm, parameters, events), count: EVENTS }],
    ["dense", { peer: perEvent(wasm, parameters, "stepDense"), count: EVENTS / 8 }],
    ["typescript", { peer: perEvent(createSparseKernel(), parameters), count: EVENTS / 8 }],
    ["ort", { peer: await createOnnxruntimeStep(1)(parameters), count: 300 }],
    ["ort-2-threads", { peer: await createOnnxruntimeStep(2)(parameters), count: 300 }],
    ["tfjs-wasm", { peer: await createTfjsStep("wasm")(parameters), count: 60 }],
    ["tfjs-cpu", { peer: await createTfjsStep("cpu")(parameters), count: 60 }],
  ]);
  if (native !== undefined) all.set("native", { peer: native, count: EVENTS });
  return all;
}

/** A variant is timed only after it gave what the others give. */
async function checkOutputs(peers: Map<string, Contender>, events: Events): Promise<void> {
  const expected = peers.get("call")!.peer;
  expected.run(events, 60);
  for (const [name, { peer }] of peers) {
    if (peer === expected) continue;
    await peer.run(events, 60);
    const actual = peer.output();
    const worst = expected
      .output()
      .reduce((most, h, j) => Math.max(most, Math.abs(h - actual[j]!)), 0);
    if (!(worst < 1e-5)) throw new Error(`Cannot time ${name}: its output is ${worst} away`);
  }
}
