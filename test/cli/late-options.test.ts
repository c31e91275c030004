import { Command } from "commander";
import { describe, expect, it } from "vitest";
import { addLateOptions, type LateOptions, latePolicy } from "../../src/cli/late-options.ts";

function parse(...args: string[]): LateOptions {
  const command = addLateOptions(new Command()).exitOverride();
  command.configureOutput({ writeErr: () => undefined });
  return command.parse(args, { from: "user" }).opts<LateOptions>();
}

describe("addLateOptions() and latePolicy()", () => {
  it("drop what is late, and allow none, unless told otherwise", () => {
    expect(parse().lateness).toBe(0);
    expect(latePolicy(parse())).toEqual({ policy: "drop" });
    expect(latePolicy(parse("--late", "apply-late"))).toEqual({ policy: "apply-late" });
  });

  it("give a rewind its horizon in microseconds", () => {
    const options = parse("--late", "rewind", "--horizon", "2.5", "--lateness", "20");
    expect(options.lateness).toBe(20);
    expect(latePolicy(options)).toMatchObject({ policy: "rewind", horizonUs: 2500 });
  });

  it.each([
    ["--lateness", "-1"],
    ["--lateness", ""],
    ["--horizon", "x"],
    ["--late", "later"],
  ])("refuse %s %j", (option, value) => {
    expect(() => parse(option, value)).toThrow();
  });
});
