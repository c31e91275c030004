import { expect, test } from "vitest";
import { readTar } from "../../../src/wire/datasets/tar.ts";

/** A tar archive as GNU tar would write it. */
function tar(files: readonly { name: string; text: string; type?: string }[]): Uint8Array {
  const blocks = files.map(({ name, text, type = "0" }) => {
    const padded = Math.ceil(text.length / 512) * 512;
    const bytes = Buffer.alloc(512 + padded);
    bytes.write(name, 0);
    bytes.write(text.length.toString(8).padStart(11, "0"), 124);
    bytes.write(" ".repeat(8), 148);
    bytes.write(type, 156);
    bytes.write("ustar  ", 257);
    bytes.write(text, 512);
    const sum = bytes.subarray(0, 512).reduce((a, b) => a + b, 0);
    bytes.write(sum.toString(8).padStart(6, "0"), 148);
    bytes[154] = 0;
    return bytes;
  });
  return Buffer.concat([...blocks, Buffer.alloc(1024)]);
}

const texts = (archive: Uint8Array) =>
  [...readTar(archive)].map(({ path, bytes }) => [path, Buffer.from(bytes).toString()]);

test("readTar yields the files of an archive in order, without folders", () => {
  const archive = tar([
    { name: "d/", text: "", type: "5" },
    { name: "d/a.txt", text: "x".repeat(513) },
    { name: "b", text: "" },
    { name: "c", text: "y" },
  ]);
  expect(texts(archive)).toEqual([
    ["d/a.txt", "x".repeat(513)],
    ["b", ""],
    ["c", "y"],
  ]);
});

test("readTar refuses damaged headers, cut-off files and long names with the byte", () => {
  const archive = tar([{ name: "a", text: "x" }]);
  expect(() => texts(archive.with(0, 98))).toThrow("checksum at byte 0 must be");
  const long = tar([{ name: "a", text: "x".repeat(600) }]).subarray(0, 1024);
  expect(() => texts(long)).toThrow("file at byte 0 must be 600 bytes, got 512");
  expect(() => texts(tar([{ name: "a", text: "x", type: "L" }]))).toThrow(
    'entry type at byte 0 must be a plain file, got "L"',
  );
});
