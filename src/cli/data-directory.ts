/** Where real recordings lie: `POLYPHASE_DATA`, or `../shared/data` beside the project. */
export function dataDirectory(): string {
  const given = process.env["POLYPHASE_DATA"];
  return given === undefined || given === "" ? "../shared/data" : given;
}
