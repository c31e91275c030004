import type { SensorSize } from "../dvs-decoder.ts";

const sizes: readonly (readonly [RegExp, SensorSize])[] = [
  [/dvs128|davis128/i, { width: 128, height: 128 }],
  [/davis208/i, { width: 208, height: 192 }],
  [/davis240/i, { width: 240, height: 180 }],
  [/davis346/i, { width: 346, height: 260 }],
  [/davis640/i, { width: 640, height: 480 }],
  [/dvxplorer[_ ]?(lite|mini)/i, { width: 320, height: 240 }],
  [/dvxplorer/i, { width: 640, height: 480 }],
];

/** Size of the iniVation camera that a header line names. */
export function cameraSize(name: string): SensorSize | undefined {
  return sizes.find(([pattern]) => pattern.test(name))?.[1];
}
