/** The public API of polyphase. Everything else may change between versions. */

export { chooseKernel } from "./cells/kernels/choose-kernel.ts";
export type { FloatArray, Kernel, KernelName } from "./cells/kernels/kernel.ts";
export type { AddressBatch, WasmAddressLayer } from "./cells/kernels/wasm-address-layer.ts";
export { createWasmKernel, type WasmKernel } from "./cells/kernels/wasm-kernel.ts";
export { negativeLogLikelihood } from "./cells/mixture-density.ts";
export type { DirectEncoder, Encoder } from "./fusion/encoder.ts";
export { addressVectors, fillAddressBatch } from "./fusion/encoders/address-encoder.ts";
export { type DenseResult, type DenseTick, evaluateDense } from "./fusion/evaluate-dense.ts";
export { createFusionGraph, type FusionGraph } from "./fusion/fusion-graph.ts";
export { createFusionModel, type FusionModel } from "./fusion/fusion-model.ts";
export {
  createFusionState,
  type FusionState,
  releaseFusionState,
  resetFusionState,
} from "./fusion/fusion-state.ts";
export {
  createGovernorState,
  followDecision,
  type GovernorDecision,
  type GovernorState,
} from "./fusion/governor/govern.ts";
export { type ComputeBudget, createGovernor, type Governor } from "./fusion/governor/governor.ts";
export type { Prediction } from "./fusion/prediction.ts";
export { readHead } from "./fusion/read-head.ts";
export { decodeSafetensors, encodeSafetensors } from "./fusion/safetensors.ts";
export type { GraphSpec } from "./fusion/spec/graph-spec.ts";
export { parseGraphSpec } from "./fusion/spec/parse-graph-spec.ts";
export { applyEvent, finishTick } from "./fusion/step-fusion.ts";
export type { Tensor, Weights } from "./fusion/tensor.ts";
export { createDvsPacket, type DvsPacket } from "./sensors/dvs/dvs-packet.ts";
export { type ErrorCode, PolyphaseError } from "./sensors/polyphase-error.ts";
export type {
  AudioEvent,
  DvsEvent,
  Marker,
  ScalarEvent,
  SensorEvent,
  SensorStatus,
  StreamItem,
  VideoEvent,
} from "./sensors/sensor-event.ts";
export type { TimeUs } from "./sensors/time.ts";
export type { BoxDetector, DetectedBox } from "./sensors/video/box-detector.ts";
export type { GreyPicture } from "./sensors/video/grey-picture.ts";
export { detectorCropper, fixedCropper, type VideoCropper } from "./sensors/video/video-cropper.ts";
export { encodeCheckpoint, restoreCheckpoint, stateHash } from "./state/checkpoint.ts";
export {
  readModelDirectory,
  type StoredModel,
  storedModel,
  writeModelDirectory,
} from "./state/model-directory.ts";
export type { ClockMap } from "./streams/clock/clock-map.ts";
export type { ClockMode } from "./streams/clock/clock-model.ts";
export type { ClockOptions } from "./streams/clock/map-clocks.ts";
export type { DroppedEvents } from "./streams/dropped-events.ts";
export type { Governing, StreamGovernorDecision } from "./streams/fuse/governing.ts";
export type { LatePolicy } from "./streams/fuse/late-policy.ts";
export type { MergeOptions } from "./streams/merge/merge-options.ts";
export { NdjsonSink } from "./streams/ndjson/ndjson-sink.ts";
export { type PipelineOptions, type PipelineResult, runPipeline } from "./streams/pipeline.ts";
export { FileOutput, type FileOutputOptions } from "./streams/record/file-output.ts";
export { createRecorder, type Recorder, type RecorderOptions } from "./streams/record/recorder.ts";
export { recorderMetadata } from "./streams/record/recorder-metadata.ts";
export { createRecording, type RecordingWriter } from "./streams/record/recording-writer.ts";
export { RingOutput, type RingOutputOptions } from "./streams/record/ring-output.ts";
export { openRecordedLogs, type RecordedLog } from "./streams/replay/log/recorded-log.ts";
export { logFrom, replayLog, wholeLog } from "./streams/replay/log/replay-log.ts";
export { Pace } from "./streams/replay/pace.ts";
export { openRecording, type Recording } from "./streams/replay/recording-reader.ts";
export { replaySource } from "./streams/replay/replay-source.ts";
export type { Sink } from "./streams/sink.ts";
export type { Delivery, Source } from "./streams/source.ts";
export {
  FusionWorkerPool,
  type FusionWorkerPoolOptions,
  type PooledModel,
} from "./streams/workers/fusion-worker-pool.ts";
export type { Decision } from "./wire/decision-json.ts";
