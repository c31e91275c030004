// The sequence op of one Phased LSTM layer in float32 SIMD: the twin of
// src/train/sequence-op/typescript-sequence-op.ts; read that one first. And loops over parameters
// that lie in its memory.
export { backward } from "./backward";
export { backwardAll } from "./dense/backward-all";
export { forwardAll } from "./dense/forward-all";
export { forward } from "./forward";
export { scanGates } from "./gates/gate-scan";
export { stepAdam } from "./parameters/adam";
export { addEmbeddingGradients, embedEvents } from "./parameters/embedding";
export { scale, squaredNorm, updateAverage } from "./parameters/vectors";
