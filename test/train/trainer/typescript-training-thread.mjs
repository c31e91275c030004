// training-thread.ts from the sources: Node 20 cannot load TypeScript in a thread by itself.
import { register } from "tsx/esm/api";

register();
await import("../../../src/train/trainer/parallel/training-thread.ts");
