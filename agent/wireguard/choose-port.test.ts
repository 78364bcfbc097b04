import { createSocket } from "node:dgram";
import { once } from "node:events";
import { describe, expect, it } from "vitest";
import { isUdpPortFree } from "../system/udp-port.ts";
import { choosePort } from "./choose-port.ts";

describe("choosePort", () => {
  it("takes the first port from 51820 up that nobody has and no other mesh of ours is to have", async () => {
    const busy = new Set([51_820, 51_822]);

    expect(await choosePort(new Set([51_821]), async (port) => !busy.has(port))).toBe(51_823);
  });

  it("says so when there is none", async () => {
    await expect(choosePort(new Set(), async () => false)).rejects.toThrow("no UDP port");
  });
});

describe("isUdpPortFree", () => {
  it.each(["udp4", "udp6"] as const)("is false while a %s socket has the port, and true afterwards", async (type) => {
    const socket = createSocket({ type, ipv6Only: type === "udp6" });
    socket.bind(0);
    await once(socket, "listening");
    const { port } = socket.address();

    expect(await isUdpPortFree(port)).toBe(false);
    socket.close();
    await once(socket, "close");
    expect(await isUdpPortFree(port)).toBe(true);
  });
});
