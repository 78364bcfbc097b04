import { describe, expect, it } from "vitest";
import type { Endpoint } from "#schema/address";
import { NatReport } from "#schema/nat";
import { createStunClient } from "../stun/stun-client.ts";
import { createFakeClock } from "../testing/fake-clock.ts";
import { createFakeNat, type FakeNat, type FakeNatOptions } from "../testing/fake-nat.ts";
import { createNatProber } from "./nat-prober.ts";
import type { QuickLook } from "./to-report.ts";

const WIREGUARD_PORT = 51_820;
const [A, A_OTHER] = ["192.0.2.10:3478" as Endpoint, "192.0.2.11:3479" as Endpoint];
const B = "203.0.113.5:3478" as Endpoint;
const EASY = { mapping: "endpoint-independent", filtering: "address-and-port-dependent" } as const;

const MAPPINGS = ["none", "endpoint-independent", "address-dependent", "address-and-port-dependent"] as const;
const FILTERINGS = ["endpoint-independent", "address-dependent", "address-and-port-dependent"] as const;
const KINDS = MAPPINGS.flatMap((mapping) => FILTERINGS.map((filtering) => ({ mapping, filtering })));

describe("a NAT prober", () => {
  it.each(KINDS)("finds $mapping mapping with $filtering filtering, by two servers", async (kind) => {
    const { report } = await measure(kind, (nat) => {
      nat.addServer(A, { other: A_OTHER });
      nat.addServer(B);
    });

    expect(report).toMatchObject({ ...kind, udp: { ipv4: true, ipv6: false }, publicAddresses: ["198.51.100.1"] });
    expect(NatReport.parse(report)).toEqual(report);
  });

  it.each(KINDS)("finds $mapping mapping with $filtering filtering, by one server with two addresses", async (kind) => {
    const { report } = await measure(kind, (nat) => nat.addServer(A, { other: A_OTHER }), { servers: [A] });

    expect(report).toMatchObject(kind);
  });

  it.each(KINDS)("finds $filtering filtering ($mapping) although the probe asked both addresses", async (kind) => {
    const [first, second] = [A, "192.0.2.11:3478" as Endpoint];
    const { report } = await measure(kind, (nat) => nat.addServer(A, { other: A_OTHER }), { servers: [first, second] });

    expect(report).toMatchObject(kind);
  });

  it("compares servers where none does RFC 5780, and leaves filtering unknown", async () => {
    const servers = (nat: FakeNat) => {
      for (const server of [A, B]) nat.addServer(server);
    };

    expect((await measure(EASY, servers)).report).toMatchObject({ ...EASY, filtering: "unknown" });
    expect((await measure({ ...EASY, mapping: "address-dependent" }, servers)).report).toMatchObject({
      mapping: "address-and-port-dependent",
      filtering: "unknown",
    });
  });

  it("knows which server does RFC 5780", async () => {
    expect((await measure(EASY, bothServers, { servers: [B, A] })).discoveryServer).toBe(A);
    expect((await measure(EASY, (nat) => nat.addServer(B))).discoveryServer).toBeNull();
  });

  it("lets a public server send it into no private network", async () => {
    const { report, discoveryServer } = await measure(EASY, (nat) => {
      nat.addServer(A, { other: "10.0.0.1:3479" as Endpoint });
      nat.addServer(B);
    });

    expect(discoveryServer).toBeNull();
    expect(report.filtering).toBe("unknown");
  });

  it("doesn't take a refusal for filtering", async () => {
    const { report } = await measure(EASY, (nat) => {
      nat.addServer(A, { other: A_OTHER, refuses: "changeRequest" });
      nat.addServer(B);
    });

    expect(report.filtering).toBe("unknown");
  });

  it("sees that the router forwards WireGuard's port, though it filters for others", async () => {
    const { report } = await measure({ ...EASY, forwarded: [WIREGUARD_PORT] }, bothServers);

    expect(report).toMatchObject({ mapping: "endpoint-independent", filtering: "endpoint-independent" });
  });

  it("tells whether the port is kept and whether the NAT hairpins", async () => {
    expect((await measure({ ...EASY, hairpins: true }, bothServers)).report).toMatchObject({
      preservesPort: true,
      hairpinning: true,
    });
    expect((await measure({ ...EASY, preservesPort: false }, bothServers)).report).toMatchObject({
      preservesPort: false,
      hairpinning: false,
    });
    expect((await measure({ ...EASY, mapping: "none" }, bothServers)).report).toMatchObject({
      preservesPort: null,
      hairpinning: null,
    });
  });

  it("has a first look as soon as two servers answered, however silent the others are", async () => {
    const { looks, lookedAt } = await measure(EASY, bothServers, { servers: [A, B, "203.0.113.6:3478"] });

    expect(looks).toEqual([
      {
        summary: { ...EASY, filtering: "unknown", isUdpOpen: true, publicAddress: "198.51.100.1" },
        mapped: ["198.51.100.1:51820"],
      },
    ]);
    expect(lookedAt).toEqual([0]);
  });

  it("has a first look with what it knows when only one server answers", async () => {
    const { looks, lookedAt, report } = await measure(EASY, (nat) => nat.addServer(A), { servers: [A, B] });

    expect(looks).toMatchObject([{ summary: { mapping: "unknown", isUdpOpen: true } }]);
    expect(lookedAt).toEqual([3_000]);
    expect(report.stun).toEqual([
      { server: A, mapped: "198.51.100.1:51820", roundTripMs: 0 },
      { server: B, mapped: null, roundTripMs: null },
    ]);
  });

  it("says that UDP is blocked when nobody answers", async () => {
    const { looks, report } = await measure(EASY, () => undefined, { servers: [A, B] });

    expect(looks).toMatchObject([{ summary: { mapping: "unknown", isUdpOpen: false }, mapped: [] }]);
    expect(report).toMatchObject({ udp: { ipv4: false, ipv6: false }, mapping: "unknown", preservesPort: null });
  });

  it("doesn't say so without a server to ask", async () => {
    const { looks } = await measure(EASY, () => undefined, { servers: [] });

    expect(looks).toMatchObject([{ summary: { mapping: "unknown", isUdpOpen: true } }]);
  });

  it("asks no server of a family that it has no address of", async () => {
    const { report, elapsedMs } = await measure(
      { ...EASY, mapping: "none", filtering: "endpoint-independent" },
      bothServers,
      {
        servers: ["stun.example.org:3478", B],
        resolve: { "stun.example.org": { ipv4: ["192.0.2.10"], ipv6: ["2001:db8::10"] } },
      },
    );

    expect(report.stun.map(({ server }) => server)).toEqual(["stun.example.org:3478", B]);
    expect(elapsedMs).toBe(0);
  });

  it("stops when it is aborted", async () => {
    const abort = new AbortController();
    const run = measure(EASY, () => undefined, { signal: abort.signal });
    abort.abort(new Error("stopped"));

    await expect(run).rejects.toThrow("stopped");
  });
});

function bothServers(nat: FakeNat): void {
  nat.addServer(A, { other: A_OTHER });
  nat.addServer(B);
}

interface MeasureOptions {
  readonly servers?: readonly string[];
  readonly resolve?: Record<string, { ipv4: string[]; ipv6: string[] }>;
  readonly signal?: AbortSignal;
}

/** Measures twice, as an agent does, and tells of the second time: the first must not have spoilt it. */
async function measure(
  kind: Omit<FakeNatOptions, "clock">,
  prepare: (nat: FakeNat) => void,
  { servers = [A, B], resolve = {}, signal = new AbortController().signal }: MeasureOptions = {},
) {
  const clock = createFakeClock();
  const nat = createFakeNat({ ...kind, clock });
  prepare(nat);
  const socket = await nat.open({ port: WIREGUARD_PORT });
  const client = createStunClient({ socket, clock });
  socket.listen((packet, from) => client.receive(packet, from));
  const prober = createNatProber({
    client,
    localPort: () => WIREGUARD_PORT,
    servers: () => servers,
    localAddresses: () => [nat.localAddress],
    known: () => ({
      portMapping: { protocols: [], endpoints: [], problem: null },
      mappingLifetimeSeconds: null,
      checksProblem: null,
    }),
    resolveHost: async (host) => resolve[host] ?? { ipv4: [host], ipv6: [] },
    udp: nat,
    clock,
  });
  const once = async () => {
    const [looks, lookedAt, startedAt]: [QuickLook[], number[], number] = [[], [], clock.now()];
    const onQuick = (look: QuickLook) => {
      looks.push(look);
      lookedAt.push(clock.now() - startedAt);
    };
    let endedAt = startedAt;
    const run = prober.measure({ signal, onQuick }).finally(() => {
      endedAt = clock.now();
    });
    await Promise.race([run.catch(() => undefined), clock.advance(20_000)]);
    const report = await run;
    return { report, looks, discoveryServer: prober.discoveryServer(), lookedAt, elapsedMs: endedAt - startedAt };
  };
  await once();
  return once();
}
