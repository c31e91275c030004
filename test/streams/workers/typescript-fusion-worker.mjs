// fusion-worker.ts from the sources: Node 20 cannot load TypeScript in a thread by itself.
import { register } from "tsx/esm/api";

register();
await import("../../../src/streams/workers/fusion-worker.ts");
