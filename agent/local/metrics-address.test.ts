import { expect, test } from "vitest";
import { CommandFailure } from "./exit-codes.ts";
import { parseMetricsAddress } from "./metrics-address.ts";

test.each([
  [undefined, undefined, null],
  [undefined, "", null],
  [undefined, "9586", { address: "127.0.0.1", port: 9586 }],
  ["9586", "9999", { address: "127.0.0.1", port: 9586 }],
  ["localhost:9586", undefined, { address: "127.0.0.1", port: 9586 }],
  ["[::1]:9586", undefined, { address: "::1", port: 9586 }],
  ["10.77.0.1:9586", undefined, { address: "10.77.0.1", port: 9586 }],
  ["0.0.0.0:9586", undefined, { address: "0.0.0.0", port: 9586 }],
])("--metrics %s, BECKET_METRICS %s", (option, variable, expected) => {
  expect(parseMetricsAddress(option, variable)).toEqual(expected);
});

test.each([
  ["", undefined, "--metrics"],
  // What stands for every address elsewhere must not be taken for this machine's own, or the other way round.
  [":9586", undefined, "--metrics"],
  ["yes", undefined, "--metrics"],
  ["127.0.0.1", undefined, "--metrics"],
  ["127.0.0.1:0", undefined, "--metrics"],
  ["127.0.0.1:70000", undefined, "--metrics"],
  ["http://127.0.0.1:9586/metrics", undefined, "--metrics"],
  [undefined, "host.example:9586", "BECKET_METRICS"],
])("--metrics %s, BECKET_METRICS %s is refused", (option, variable, name) => {
  const parse = () => parseMetricsAddress(option, variable);
  expect(parse).toThrow(CommandFailure);
  expect(parse).toThrow(new RegExp(`^${name}: ".*" is no address .*127\\.0\\.0\\.1:9586`));
});
