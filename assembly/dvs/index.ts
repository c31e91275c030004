export { aedat4 } from "./aedat4";
export {
  rebaseMap, rebaseNarrow, selectNarrow, selectSupported, widenMap,
} from "./background-activity";
export { evt2 } from "./evt2";
export { evt3, writeOnes } from "./evt3";
export { gather } from "./gather";
export { lz4 } from "./lz4";
export { decodeSoa1, encodeSoa1 } from "./soa1";
