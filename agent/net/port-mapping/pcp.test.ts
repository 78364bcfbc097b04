import { expect, test } from "vitest";
import type { AskRouter } from "./ask-router.ts";
import { createPcp } from "./pcp.ts";
import { PCP_NONCE_BYTES } from "./pcp-messages.ts";

const ROUTER = { address: "192.168.1.1", localAddress: "192.168.1.7" };
const HEADER_BYTES = 24;
const { signal } = new AbortController();

/** The nonces that an agent with this secret sends when it maps and releases a port, in hex. */
async function noncesOf(secret: string, port: number): Promise<string[]> {
  const nonces: string[] = [];
  const ask: AskRouter = async (_, request, read) => {
    const packet = Buffer.from(request);
    if (packet.length > HEADER_BYTES) {
      nonces.push(packet.subarray(HEADER_BYTES, HEADER_BYTES + PCP_NONCE_BYTES).toString("hex"));
    }
    packet[1] = (packet[1] ?? 0) | 0x80;
    return read(packet);
  };
  const session = await createPcp(ask, (purpose) => Buffer.from(`${secret} of ${purpose}`)).find(ROUTER, signal);
  if (!session.ok) throw new Error(session.error.message);
  await session.value.map({ port, externalPort: port, lifetimeSeconds: 7_200 }, signal);
  await session.value.release(port, signal);
  return nonces;
}

test("an agent that is started again has the nonce of the one before, so that its mappings are its own", async () => {
  const [nonce] = await noncesOf("one", 51_820);
  expect(await noncesOf("one", 51_820)).toEqual([nonce, nonce]);
  expect(nonce).toHaveLength(PCP_NONCE_BYTES * 2);
});

test("another port and another machine have another nonce", async () => {
  const nonces = await Promise.all([noncesOf("one", 51_820), noncesOf("one", 51_821), noncesOf("two", 51_820)]);
  expect(new Set(nonces.flat()).size).toBe(3);
});
