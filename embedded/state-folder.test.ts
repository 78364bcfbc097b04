import { describe, expect, it } from "vitest";
import { StartError } from "./start-error.ts";
import { toStateError } from "./state-folder.ts";

const refused = (fields: object) =>
  Object.assign(new Error("EACCES: permission denied"), { code: "EACCES", ...fields });
const ROOMY = () => 1e9;
const FULL = () => 4_096;

describe("what goes wrong at a start", () => {
  it.each([
    ["the system refused a file", refused({ syscall: "open" }), ROOMY, "EACCES: permission denied"],
    ["its server is another now", refused({ code: "ESTALE" }), ROOMY, "EACCES: permission denied"],
    [
      "the runtime has no room, and does not say so",
      new Error("internal error; reference = abc"),
      FULL,
      "its disk is full",
    ],
  ])("is the state folder's fault where %s", (_, error, readFree, reason) => {
    expect(toStateError("/state", error, readFree)).toMatchObject({
      code: "state_not_writable",
      message: `the state folder /state is not usable: ${reason}`,
      cause: error,
    });
  });

  it.each([
    ["said already", new StartError("port_in_use", "taken"), FULL],
    ["of a program that may not be started", refused({ syscall: "spawn workerd" }), ROOMY],
    ["a fault of ours", new TypeError("x is undefined"), ROOMY],
  ])("stays what it is when it is %s", (_, error, readFree) => {
    expect(toStateError("/state", error, readFree)).toBe(error);
  });

  it("stays what it is where the folder is gone, too", () => {
    const error = new Error("internal error; reference = abc");
    expect(toStateError("/nowhere", error)).toBe(error);
  });
});
