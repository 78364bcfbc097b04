import { describe, expect, it } from "vitest";
import type { Endpoint } from "#schema/address";
import { createFakeClock } from "../testing/fake-clock.ts";
import { createFakeNat, type FakeNat } from "../testing/fake-nat.ts";
import { measureLifetime } from "./lifetime.ts";

const SERVER = "192.0.2.10:3478" as Endpoint;
const OTHER = "192.0.2.11:3479" as Endpoint;

describe("the lifetime of a mapping", () => {
  it.each([
    [20, 0],
    [30, 28],
    [60, 58],
    [120, 118],
    [300, 118],
  ])("of %i s outlives a silence of %i s", async (lifetime, outlived) => {
    const { result } = await measure({ lifetimeMs: lifetime * 1_000 });

    expect(result).toEqual({ ok: true, value: outlived });
  });

  it("is measured through every filtering and mapping, also where the port isn't kept", async () => {
    for (const mapping of ["endpoint-independent", "address-and-port-dependent"] as const) {
      const { result } = await measure({ mapping, lifetimeMs: 60_000, preservesPort: false });
      expect(result).toEqual({ ok: true, value: 58 });
    }
  });

  it("is known soon after the silence that was too long", async () => {
    const { elapsedMs } = await measure({ lifetimeMs: 30_000 });

    expect(elapsedMs).toBeGreaterThan(58_000);
    expect(elapsedMs).toBeLessThan(65_000);
  });

  it("can't be measured where the server doesn't answer to another port, or not at all", async () => {
    const refused = await measure({ refuses: "responsePort" });
    expect(refused.result).toMatchObject({ ok: false, error: { code: "no_response_port" } });
    expect(refused.elapsedMs).toBeLessThan(5_000);

    const silent = await measure({ prepare: (nat) => nat.blocked.add(SERVER) });
    expect(silent.result).toMatchObject({ ok: false, error: { code: "no_answer" } });
  });

  it("is given up when it is aborted", async () => {
    const abort = new AbortController();
    const run = measure({ signal: abort.signal });
    abort.abort(new Error("the network changed"));

    await expect(run).rejects.toThrow("the network changed");
  });
});

interface Setting {
  readonly mapping?: "endpoint-independent" | "address-and-port-dependent";
  readonly lifetimeMs?: number;
  readonly preservesPort?: boolean;
  readonly refuses?: "responsePort";
  readonly signal?: AbortSignal;
  readonly prepare?: (nat: FakeNat) => void;
}

async function measure({ mapping = "endpoint-independent", refuses, prepare, ...setting }: Setting) {
  const clock = createFakeClock();
  const nat = createFakeNat({ clock, mapping, filtering: "address-and-port-dependent", ...setting });
  nat.addServer(SERVER, { other: OTHER, ...(refuses === undefined ? {} : { refuses }) });
  prepare?.(nat);
  const startedAt = clock.now();
  let endedAt = startedAt;
  const run = measureLifetime({
    server: SERVER,
    udp: nat,
    clock,
    signal: setting.signal ?? new AbortController().signal,
  });
  const ended = run.finally(() => {
    endedAt = clock.now();
  });
  await Promise.race([ended.catch(() => undefined), clock.advance(300_000)]);
  return { result: await ended, elapsedMs: endedAt - startedAt };
}
