import { createHash } from "node:crypto";
import { describe, expect, it } from "vitest";
import { bestBox } from "../../src/backends/onnx/detector-layout.ts";
import {
  createOnnxBoxDetector,
  type OnnxBoxDetector,
  type OnnxBoxDetectorOptions,
} from "../../src/backends/onnx/onnx-box-detector.ts";
import { encodeOnnx } from "../../src/backends/onnx/onnx-writer.ts";
import type { GreyPicture } from "../../src/sensors/video/grey-picture.ts";
import { tinyDetector } from "./tiny-detector.ts";

const path = "face.onnx";

function open(
  model: Uint8Array,
  options: Partial<OnnxBoxDetectorOptions> = {},
): Promise<OnnxBoxDetector> {
  return createOnnxBoxDetector(model, { kind: "ssd", scoreMin: 0.7, path, ...options });
}

/** 64 × 48, twice what the tiny detector looks at, bright in 16 × 16 from (x, y). */
function pictureWith(x: number, y: number, grey = 250): GreyPicture {
  const pixels = new Uint8Array(64 * 48).fill(20);
  for (let row = y; row < y + 16; row++) pixels.fill(grey, row * 64 + x, row * 64 + x + 16);
  return { width: 64, height: 48, pixels };
}

describe("createOnnxBoxDetector()", () => {
  it.each([
    ["ssd", 3, (250 - 127) / 128],
    ["ssd", 1, (250 - 127) / 128],
    ["rows", 3, 250 / 255],
  ] as const)("finds in pixels of the picture what a %s of %i channels finds", async (...each) => {
    const [kind, channels, confidence] = each;
    const detector = await open(tinyDetector(kind, channels), { kind });
    const found = await detector.detect(pictureWith(32, 16));
    const sides = [found!.left, found!.top, found!.right, found!.bottom].map(Math.round);
    expect(sides).toEqual([32, 16, 48, 32]);
    expect(found!.confidence).toBeCloseTo(confidence, 5);
  });

  it.each([
    // What is looked at has 32 × 24: of 80 × 24 it shows 32 × 10 between bars of 7, of 24 × 48 it shows 12 × 24.
    ["ssd", 80, 24, [40, 2.4, 60, 21.6]],
    ["rows", 80, 24, [40, 2.4, 60, 21.6]],
    ["ssd", 24, 48, [12, 16, 28, 32]],
    ["rows", 24, 48, [12, 16, 28, 32]],
  ] as const)("finds in a letterbox of a %s what lies in a picture of %i × %i", async (...each) => {
    const [kind, width, height, [left, top, right, bottom]] = each;
    const pixels = new Uint8Array(width * height);
    for (let y = Math.floor(top); y < bottom; y++) {
      pixels.fill(255, y * width + left, Math.min((y + 1) * width, y * width + right));
    }
    const picture = { width, height, pixels };
    const open255 = (fit: "letterbox" | "stretch") =>
      open(tinyDetector(kind, 1), { kind, fit, scoreMin: 0.7 });
    const found = await (await open255("letterbox")).detect(picture);
    const sides = [found!.left, found!.top, found!.right, found!.bottom];
    [left, top, right, bottom].forEach((side, i) => {
      expect(sides[i]).toBeCloseTo(side, 4);
    });
    const stretched = await (await open255("stretch")).detect(picture);
    expect(stretched).not.toEqual(found);
  });

  it("finds nothing in the bars of a letterbox", async () => {
    // Bright enough would be the grey of the bars, were anything of the picture there.
    const detector = await open(tinyDetector("rows", 1), {
      ...{ kind: "rows", fit: "letterbox", scoreMin: 0.44 },
    });
    const dark = (width: number, height: number): GreyPicture => ({
      ...{ width, height, pixels: new Uint8Array(width * height) },
    });
    expect(await detector.detect(dark(160, 8))).toBeUndefined();
    expect(detector.name).toMatch(/^detector-rows-letterbox114-score0.44-sha256:/);
  });

  it("finds nothing where nothing is bright enough", async () => {
    const detector = await open(tinyDetector("ssd"));
    expect(await detector.detect(pictureWith(0, 0, 200))).toBeUndefined();
    expect(await detector.detect(pictureWith(0, 0, 240))).toBeDefined();
  });

  it("tells the sha256 of the model, and refuses another than the one asked for", async () => {
    const model = tinyDetector("ssd");
    const sha256 = createHash("sha256").update(model).digest("hex");
    const detector = await open(model, { sha256: sha256.toUpperCase() });
    expect(detector.sha256).toBe(sha256);
    expect(detector.name).toBe(`detector-ssd-score0.7-sha256:${sha256}`);
    await expect(open(tinyDetector("ssd", 1), { sha256 })).rejects.toMatchObject({
      code: "BAD_MODEL",
      message: expect.stringMatching(
        `^Cannot use detector face.onnx: its sha256 must be ${sha256}, got [0-9a-f]{64}$`,
      ),
    });
  });

  it("refuses at once a model of the other kind, of other inputs, and what is no model", async () => {
    await expect(open(tinyDetector("rows"))).rejects.toThrow(
      "outputs of kind ssd must be boxes [1, N, 4] and scores [1, N, 2], got rows float32 [1, 12, 5]",
    );
    await expect(open(tinyDetector("ssd"), { kind: "rows" })).rejects.toThrow(
      "outputs of kind rows must be one of [1, N, 5 or more], got scores float32 [1, 12, 2] and boxes float32 [1, 12, 4]",
    );
    const free = encodeOnnx({
      name: "free",
      nodes: [{ operator: "Relu", inputs: ["a"], outputs: ["b"] }],
      initializers: [],
      inputs: [{ name: "a", shape: [1, 3, undefined, undefined] }],
      outputs: [{ name: "b", shape: [1, 3, undefined, undefined] }],
    });
    await expect(open(free)).rejects.toThrow(
      "one float32 input [1, 1 or 3, height, width] of a fixed size, got float32 [1, 3, n2, n3]",
    );
    await expect(open(new Uint8Array(9))).rejects.toThrow("it must load in onnxruntime");
  });
});

describe("bestBox()", () => {
  const list = (...rows: number[][]) => {
    const values = Float32Array.from(rows.flat());
    return {
      ...{ count: rows.length, boxes: values, boxStep: 5 },
      ...{ scores: values, scoreStep: 5, scoreAt: 4 },
    };
  };

  it("takes the box of the highest confidence, of equal ones the first", () => {
    const boxes = list([0, 0, 1, 1, 0.5], [0, 0, 2, 2, 0.75], [0, 0, 3, 3, 0.75]);
    expect(bestBox(boxes, 0.5)).toMatchObject({ right: 2, confidence: 0.75 });
    expect(bestBox(boxes, 0.8)).toBeUndefined();
    expect(bestBox(list(), 0)).toBeUndefined();
  });

  it("takes no box that is empty or not of finite numbers", () => {
    const { NaN: nan, POSITIVE_INFINITY: infinite } = Number;
    const broken = [
      [5, 0, 5, 1, 0.9],
      [0, 3, 1, 2, 0.9],
      [nan, 0, 1, 1, 0.9],
      [0, 0, infinite, 1, 0.9],
      [infinite, 0, infinite, 1, 0.9],
      [0, 0, 1, 1, nan],
    ];
    expect(bestBox(list(...broken), 0.5)).toBeUndefined();
    expect(bestBox(list(...broken, [0, 0, 1, 1, 0.6]), 0.5)).toMatchObject({ right: 1 });
  });
});
