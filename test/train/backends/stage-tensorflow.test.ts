import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { deflateRawSync } from "node:zlib";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { chooseBackend } from "../../../src/train/backends/choose-backend.ts";
import { stageTensorflow } from "../../../src/train/backends/stage-tensorflow.ts";
import { extractZipEntry, readZipEntries } from "../../../src/train/backends/zip-archive.ts";

let directory = "";
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), "polyphase-wheel-"));
});
afterAll(async () => {
  await rm(directory, { recursive: true });
});

/** A ZIP archive; a file is deflated unless its name ends with .raw. */
function zip(files: Readonly<Record<string, string>>): Buffer {
  const locals: Buffer[] = [];
  const entries: Buffer[] = [];
  let offset = 0;
  for (const [name, text] of Object.entries(files)) {
    const isRaw = name.endsWith(".raw");
    const packed = isRaw ? Buffer.from(text) : deflateRawSync(text);
    const local = Buffer.alloc(30);
    local.writeUInt32LE(0x04034b50, 0);
    local.writeUInt16LE(name.length, 26);
    // An extra field that the directory does not have.
    local.writeUInt16LE(4, 28);
    const entry = Buffer.alloc(46);
    entry.writeUInt32LE(0x02014b50, 0);
    entry.writeUInt16LE(isRaw ? 0 : 8, 10);
    entry.writeUInt32LE(packed.length, 20);
    entry.writeUInt32LE(text.length, 24);
    entry.writeUInt16LE(name.length, 28);
    entry.writeUInt32LE(offset, 42);
    locals.push(local, Buffer.from(name), Buffer.alloc(4), packed);
    entries.push(entry, Buffer.from(name));
    offset += 34 + name.length + packed.length;
  }
  const central = Buffer.concat(entries);
  const end = Buffer.alloc(22);
  end.writeUInt32LE(0x06054b50, 0);
  end.writeUInt16LE(Object.keys(files).length, 10);
  end.writeUInt32LE(central.length, 12);
  end.writeUInt32LE(offset, 16);
  return Buffer.concat([...locals, central, end]);
}

describe("readZipEntries", () => {
  it("lists the files of an archive, which unpack to what was packed", async () => {
    const path = join(directory, "two.whl");
    const files = { "a/long.txt": "text ".repeat(1000), "b/short.raw": "as it is" };
    await writeFile(path, zip(files));
    const entries = await readZipEntries(path);
    expect(entries.map(({ name }) => name)).toEqual(Object.keys(files));
    for (const entry of entries) {
      const target = join(directory, "out", entry.name);
      await extractZipEntry(path, entry, target);
      expect(await readFile(target, "utf8")).toBe(files[entry.name as keyof typeof files]);
    }
  });
  it("refuses what is no archive, is cut short or is not there", async () => {
    const path = join(directory, "bad.whl");
    await writeFile(path, "nothing of the kind");
    await expect(readZipEntries(path)).rejects.toThrow("must end with a ZIP directory");
    const whole = zip({ "a.txt": "text", "b.txt": "more" });
    await writeFile(path, Buffer.concat([whole.subarray(0, 60), whole.subarray(100)]));
    await expect(readZipEntries(path)).rejects.toThrow("of its directory is damaged");
    await expect(readZipEntries(join(directory, "no.whl"))).rejects.toThrow("Cannot open archive");
  });
});

describe("stageTensorflow", () => {
  it("refuses a wheel that is not TensorFlow's before it touches the package", async () => {
    const path = join(directory, "other.whl");
    await writeFile(path, zip({ "numpy/core.py": "x" }));
    const staged = stageTensorflow(path, join(directory, "package"), () => {});
    await expect(staged).rejects.toThrow("with tensorflow/libtensorflow_cc.so.2");
    await expect(readFile(join(directory, "package"))).rejects.toThrow("ENOENT");
  });
});

describe("chooseBackend", () => {
  const reports = [
    { name: "tensorflow", usable: false, detail: "not installed" },
    { name: "wasm", usable: true, detail: "" },
    { name: "cpu", usable: true, detail: "" },
  ] as const;

  it("takes the first that works, or the one asked for", () => {
    expect(chooseBackend(reports, undefined)).toBe("wasm");
    expect(chooseBackend(reports, "auto")).toBe("wasm");
    expect(chooseBackend(reports, "cpu")).toBe("cpu");
    expect(chooseBackend(reports.slice(0, 1), undefined)).toBeUndefined();
  });
  it("says why the one asked for cannot be taken", () => {
    expect(() => chooseBackend(reports, "tensorflow")).toThrow("not installed");
    expect(() => chooseBackend(reports, "gpu")).toThrow("one of tensorflow, wasm, cpu");
  });
});
