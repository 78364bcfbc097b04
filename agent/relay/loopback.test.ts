import { expect, test } from "vitest";
import { createFakeUdp } from "../testing/fake-udp.ts";
import { openLoopback } from "./loopback.ts";

const settle = () => new Promise((resolve) => setImmediate(resolve));

test("carries packets between WireGuard and the agent, and takes none from others", async () => {
  const udp = createFakeUdp();
  const wireguard = await udp.open({ port: 51_820 });
  const stranger = await udp.open({});
  const elsewhere = await udp.at("192.0.2.1").open({ port: 51_820 });
  const fromWireGuard: string[] = [];
  const toWireGuard: string[] = [];
  const loopback = await openLoopback(udp, 51_820, (packet) => fromWireGuard.push(String(packet)));
  wireguard.listen((packet, from) => toWireGuard.push(`${from} ${packet}`));

  wireguard.send(Buffer.from("out"), loopback.endpoint);
  stranger.send(Buffer.from("forged"), loopback.endpoint);
  elsewhere.send(Buffer.from("forged"), loopback.endpoint);
  loopback.inject(Buffer.from("in"));
  await settle();

  expect(loopback.endpoint).toMatch(/^127\.0\.0\.1:\d+$/);
  expect(fromWireGuard).toEqual(["out"]);
  expect(toWireGuard).toEqual([`${loopback.endpoint} in`]);
  loopback.close();
  expect(udp.endpoints()).not.toContain(loopback.endpoint);
});
