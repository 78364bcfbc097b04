import { describe, expect, test } from "vitest";
import type { Fallback } from "#schema/mesh";
import {
  answered,
  GATEWAY,
  NATS,
  OTHER_GATEWAY,
  RELAY_READY,
  SENT,
  STUN_ENDPOINT,
  setUpPath,
} from "./testing/path-fixture.ts";

const setUpHard = (fallback: Fallback) =>
  setUpPath({ local: { nat: NATS.here.hard, fallback }, peer: { nat: NATS.there.hard } });
const gateway = (gatewayId: typeof GATEWAY | null) => ({ type: "gateway", gatewayId }) as const;
const transit = (gatewayId: typeof GATEWAY | null) => ({ type: "transit_set", gatewayId }) as const;

describe("a pair without a direct path, where a gateway reaches both", () => {
  test("asks for transit and for no relay where the mesh allows transit only", () => {
    const path = setUpHard("transit");
    path.at(100, gateway(GATEWAY));
    path.at(200, SENT);
    expect(path.actions).toContainEqual({ type: "request_transit", gatewayId: GATEWAY });
    expect(path.count("request_relay")).toBe(0);
    path.at(300, transit(GATEWAY));
    expect(path.state().path).toEqual({ kind: "transit", gatewayId: GATEWAY });
  });

  test("never asks for transit where the mesh allows relays only", () => {
    const path = setUpHard("relay");
    path.at(100, gateway(GATEWAY));
    path.at(200, { type: "relay_ended", code: "network", message: "" });
    path.until(100_000);
    expect(path.count("request_transit")).toBe(0);
  });

  test("takes the relay first and transit when there is none, with relay-then-transit", () => {
    const path = setUpHard("relay-then-transit");
    path.at(100, gateway(GATEWAY));
    path.at(200, RELAY_READY);
    path.until(60_000);
    expect(path.count("request_transit")).toBe(0);
    path.at(60_000, { type: "relay_ended", code: "network", message: "" });
    expect(path.count("request_transit")).toBe(1);
  });

  test("is carried by the relay until transit is agreed, with transit-then-relay, and closes it then", () => {
    const path = setUpHard("transit-then-relay");
    path.at(100, RELAY_READY);
    path.at(200, gateway(GATEWAY));
    expect(path.count("request_transit")).toBe(1);
    expect(path.state().path.kind).toBe("relayed");
    path.at(300, transit(GATEWAY));
    expect(path.state().path.kind).toBe("transit");
    path.until(10_300);
    expect(path.count("close_relay")).toBe(1);
  });

  test("asks an idle day about ten times when nobody agrees", () => {
    const path = setUpHard("transit");
    path.at(100, gateway(GATEWAY));
    path.until(86_400_000);
    expect(path.count("request_transit")).toBeLessThanOrEqual(16);
    const before = path.count("request_transit");
    path.until(2 * 86_400_000);
    expect(path.count("request_transit") - before).toBeLessThanOrEqual(7);
  });

  test("does not write anything when it hears again what it knows", () => {
    const path = setUpHard("transit");
    path.at(300, transit(GATEWAY));
    const { version } = path.state();
    path.at(400, transit(GATEWAY));
    expect(path.state().version).toBe(version);
  });
});

describe("a pair in transit", () => {
  const setUpTransit = () => {
    const path = setUpPath({ local: { fallback: "transit-then-relay" } });
    path.at(50, gateway(GATEWAY));
    path.at(3_100, transit(GATEWAY));
    return path;
  };

  test("goes on looking for a direct path, and leaves the gateway together with the other end", () => {
    const path = setUpTransit();
    path.until(60_000);
    expect(path.count("refresh_stun")).toBeGreaterThan(2);
    path.at(60_000, answered(STUN_ENDPOINT));
    expect(path.actions.at(-1)).toEqual({ type: "request_transit", gatewayId: null });
    expect(path.state().path.kind).toBe("transit");
    path.at(60_100, transit(null));
    expect(path.state().path).toEqual({ kind: "direct", endpoint: STUN_ENDPOINT, isProved: true });
  });

  test("asks for the other gateway when its own is lost, or for none", () => {
    const path = setUpTransit();
    path.at(20_000, gateway(OTHER_GATEWAY));
    expect(path.actions.at(-1)).toEqual({ type: "request_transit", gatewayId: OTHER_GATEWAY });
    const alone = setUpTransit();
    alone.at(20_000, gateway(null));
    expect(alone.actions.at(-1)).toEqual({ type: "request_transit", gatewayId: null });
    alone.at(20_100, transit(null));
    alone.at(20_200, SENT);
    expect(alone.state()).toMatchObject({ path: { kind: "none" }, relay: { kind: "wanted" } });
  });

  test("does not argue about gateways with an end that reaches another one", () => {
    const path = setUpTransit();
    path.at(20_000, transit(OTHER_GATEWAY));
    const before = path.count("request_transit");
    path.until(3_600_000);
    expect(path.count("request_transit")).toBe(before);
  });
});
