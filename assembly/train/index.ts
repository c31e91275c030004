// The sequence op of one Phased LSTM layer in float32 SIMD: the twin of
// src/train/sequence-op/typescript-sequence-op.ts; read that one first.
export { backward } from "./backward";
export { forward } from "./forward";
export { scanGates } from "./gates/gate-scan";
