import { ensureBuild } from "../scripts/ensure-build.mjs";

/** Tests of the command line run what is built. */
export function setup(): void {
  ensureBuild();
}
