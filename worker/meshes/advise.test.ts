import { expect, test } from "vitest";
import { adviseRouting } from "./advise.ts";

test.each([
  [{ routeReflectorMode: true, memberCount: 400, gatewayCount: 2 }, []],
  [{ routeReflectorMode: true, memberCount: 3, gatewayCount: 1 }, ["single_gateway"]],
  [{ routeReflectorMode: false, memberCount: 249, gatewayCount: 0 }, []],
  [{ routeReflectorMode: false, memberCount: 250, gatewayCount: 1 }, ["route_reflectors_advised"]],
])("of %j: %j", (mesh, codes) => {
  expect(adviseRouting(mesh).map(({ code }) => code)).toEqual(codes);
});

test("says what to do first where there is no gateway", () => {
  const [advice] = adviseRouting({ routeReflectorMode: false, memberCount: 250, gatewayCount: 0 });
  expect(advice?.message).toMatch(/make two or more of its machines gateways, then set routeReflectorMode to true/);
});
