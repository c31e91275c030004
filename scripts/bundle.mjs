import { readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join, relative, resolve } from "node:path";
import { build } from "esbuild";

/** The program, which is a command of its own. */
const program = "dist/cli/main.js";
/** All of it in one folder, so that from each file the way to another module of `dist` is one. */
const folder = "dist/bundle";
/** Packages with native or WebAssembly files beside them, and mqtt, which few commands load. */
const external = ["onnxruntime-node", "@tensorflow/*", "@foxglove/wasm-zstd", "mqtt"];
const requireInEsm =
  'import { createRequire as createBundleRequire } from "node:module"; const require = createBundleRequire(import.meta.url);';

/**
 * Bundles the program and the entries of its threads, whose start is mostly that of loading some 450
 * files: each becomes a line that imports its bundle. What is loaded on demand still is. The other
 * modules of `dist` stay as they are, for who imports the library.
 */
export async function bundle() {
  const entries = new Set([program, ...threadEntries()]);
  const { metafile } = await build({
    entryPoints: Object.fromEntries([...entries].map((path) => [nameOf(path), path])),
    outdir: folder,
    ...{ bundle: true, splitting: true, format: "esm", platform: "node", target: "node20" },
    ...{ external, metafile: true, sourcemap: true, sourcesContent: false, logLevel: "warning" },
    // Node would take the build for ES5, of 220 files.
    alias: { rxjs: resolve("node_modules/rxjs/dist/esm/index.js") },
    // CommonJS packages require what Node has.
    banner: { js: requireInEsm },
    plugins: [modulesAtHome],
  });
  for (const path of entries) {
    const target = relative(dirname(path), join(folder, `${nameOf(path)}.js`));
    writeFileSync(path, `${path === program ? "#!/usr/bin/env node\n" : ""}import "${target}";\n`);
    rmSync(`${path}.map`);
  }
  writeFileSync(join(folder, "THIRD-PARTY.txt"), notices(Object.values(metafile.outputs)));
}

/** Of the bundle of an entry. */
function nameOf(path) {
  return relative("dist", path).replace(/\.js$/, "").replaceAll("/", "-");
}

/** Modules that another names as the entry of a thread. */
function threadEntries() {
  const modules = readdirSync("dist", { recursive: true })
    .filter((name) => name.endsWith(".js"))
    .map((name) => join("dist", name));
  return modules.flatMap((path) => {
    const named = readFileSync(path, "utf8").matchAll(/new URL\("(\.\/[\w-]+\.js)", import\.meta/g);
    return [...named].map(([, entry]) => join(dirname(path), entry));
  });
}

/** What a module finds by its own address lies where it was before it was bundled. */
const modulesAtHome = {
  name: "modules-at-home",
  setup({ onLoad }) {
    onLoad({ filter: /\/dist\/.*\.js$/ }, ({ path }) => {
      const text = readFileSync(path, "utf8");
      if (path.includes("/node_modules/") || !text.includes("import.meta.url")) return undefined;
      const home = `new URL("${relative(folder, path)}", import.meta.url).href`;
      return { contents: text.replaceAll("import.meta.url", home), loader: "js" };
    });
  },
};

/** The licences of all packages that something was taken from. */
function notices(outputs) {
  const taken = outputs.flatMap(({ inputs }) => {
    return Object.keys(inputs).filter((input) => inputs[input].bytesInOutput > 0);
  });
  const packages = taken.flatMap((input) => {
    return /^.*node_modules\/(?:@[^/]+\/)?[^/]+/.exec(input)?.[0] ?? [];
  });
  const texts = [...new Set(packages)].sort().map((path) => {
    const { name, version, license } = JSON.parse(readFileSync(join(path, "package.json"), "utf8"));
    const file = readdirSync(path).find((one) => /^licen[cs]e/i.test(one));
    if (file === undefined) throw new Error(`Cannot bundle ${name}: it has no licence file`);
    return `${name} ${version} (${license})\n\n${readFileSync(join(path, file), "utf8").trim()}\n`;
  });
  const head = "The files beside this one contain parts of these packages.\n";
  return [head, ...texts].join(`\n${"-".repeat(80)}\n\n`);
}
