export { evt2 } from "./evt2";
export { evt3, writeOnes } from "./evt3";
