import type { LayerParameters } from "../../src/cells/layer-parameters.ts";
import type { Events } from "../kernel/workload.ts";

/** Another implementation of the same layer, ready to run a list of events from its last state. */
export interface Peer {
  run(events: Events, count: number): void | Promise<void>;
  /** h after the events so far. */
  output(): Float32Array;
}

export type CreatePeer = (parameters: LayerParameters) => Promise<Peer>;
