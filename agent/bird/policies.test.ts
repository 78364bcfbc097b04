// Policies in real BIRDs, where they take hold: a gateway's links, members behind it, and a machine's own sessions.
//
//   a, c (10.77.0.1, .3) ── eth0: mesh 77 ── g (10.77.0.2 | 10.88.0.2) ── eth1: mesh 88 ── b (10.88.0.1)
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { Ipv4, Ipv4Cidr, Ipv6, Ipv6Cidr } from "#schema/address";
import { Policies } from "#schema/policy";
import { birdConfig, birdMember, gatewayLink, prefix, toMachineId, toMeshId } from "../testing/bird-fixture.ts";
import { type BirdLab, type BirdMachine, createBirdLab, whyNoBirdLab } from "../testing/bird-lab.ts";
import { eventually } from "../testing/eventually.ts";
import type { Bird } from "./bird.ts";
import type { BirdConfig, BirdMember } from "./bird-config.ts";
import { renderConfig } from "./render-config.ts";

const [LAN, OTHER_LAN, PUBLIC] = ["192.168.50.0/24", "192.168.60.0/24", "203.0.113.0/24"].map(prefix) as [
  BirdMember["prefixes"][number],
  BirdMember["prefixes"][number],
  BirdMember["prefixes"][number],
];
const ALL = [LAN, OTHER_LAN, PUBLIC];
/** Announced in mesh 77, and never heard of in mesh 88. */
const DEFAULT = prefix("0.0.0.0/0");
const ANYTHING = [prefix("0.0.0.0/0"), prefix("::/0")];
const NONE = Policies.parse({});
const WITHIN_MS = 15_000;

const toPolicy = (rules: object[], defaultAction = "accept") => ({
  rules,
  defaultAction,
  defaultLocalPreference: null,
});

const lack = whyNoBirdLab();
describe.skipIf(lack !== null)(
  `policies in real BIRDs${lack === null ? "" : `, left out: ${lack}`}`,
  { timeout: 60_000 },
  () => {
    let lab: BirdLab;
    let [a, b, c, g]: BirdMachine[] = [];
    const birds = new Map<string, Bird>();
    beforeAll(async () => {
      lab = createBirdLab();
      [a, b, c, g] = [
        await lab.openMachine(),
        await lab.openMachine(),
        await lab.openMachine(),
        await lab.openMachine(),
      ];
      await lab.join("eth0", [
        [a, "10.77.0.1/16", "fd77::1/64"],
        [c, "10.77.0.3/16", "fd77::3/64"],
        [g, "10.77.0.2/16", "fd77::2/64"],
      ]);
      await lab.join("eth1", [
        [b, "10.88.0.1/16", "fd88::1/64"],
        [g, "10.88.0.2/16", "fd88::2/64"],
      ]);
    }, 30_000);
    afterAll(() => lab.close());

    async function apply(machine: BirdMachine | undefined, name: string, config: BirdConfig): Promise<Bird> {
      if (machine === undefined) throw new Error("the lab is not open");
      const metric = name === "eth0" ? 5_201 : 5_202;
      const bird = birds.get(machine.folder + name) ?? machine.bird(name, metric);
      birds.set(machine.folder + name, bird);
      const text = renderConfig({
        ...config,
        interfaceName: name,
        kernelMetric: metric,
        logFile: `${machine.folder}/${name}`,
      });
      expect(await bird.apply(text)).toMatchObject({ ok: true });
      return bird;
    }

    const in88 = (member: BirdMember): BirdMember => ({
      ...member,
      address: Ipv4.parse(member.address.replace("10.77", "10.88")),
      address6: Ipv6.parse(member.address6.replace("fd77", "fd88")),
    });
    const config88 = (number: number, changes: Partial<BirdConfig>): BirdConfig => ({
      ...birdConfig(number, changes),
      asn: 4_200_000_088,
      cidr: Ipv4Cidr.parse("10.88.0.0/16"),
      cidr6: Ipv6Cidr.parse("fd88::/64"),
      address: Ipv4.parse(`10.88.0.${number}`),
      address6: Ipv6.parse(`fd88::${number}`),
    });
    const A = birdMember(1, { prefixes: [...ALL, DEFAULT] });
    const C = birdMember(3);
    const G = birdMember(2, { isGateway: true, prefixesOfOtherMeshes: ANYTHING });

    /** a announces all; b hears of it through g. `changes`: whose policies. */
    async function run(policies: { a?: Policies; c?: Policies; in77?: Policies; in88?: Policies }): Promise<void> {
      const { a: ofA = NONE, c: ofC = NONE, in77 = NONE, in88: of88 = NONE } = policies;
      const announcements = [{ id: "all", prefixes: [...ALL, DEFAULT], state: "announced" as const }];
      await apply(
        a,
        "eth0",
        birdConfig(1, { members: [G, C], announcements, meshPolicies: in77, machinePolicies: ofA }),
      );
      await apply(c, "eth0", birdConfig(3, { members: [A, G], meshPolicies: in77, machinePolicies: ofC }));
      const link = { prefixes: ANYTHING };
      await apply(
        g,
        "eth0",
        birdConfig(2, {
          isGateway: true,
          members: [A, C],
          meshPolicies: in77,
          gatewayLinks: [
            gatewayLink({ ...link, meshAddress: Ipv4.parse("10.88.0.2"), meshAddress6: Ipv6.parse("fd88::2") }),
          ],
        }),
      );
      await apply(g, "eth1", {
        ...config88(2, {
          ...{ isGateway: true, members: [in88(birdMember(1))], meshPolicies: of88 },
          gatewayLinks: [
            gatewayLink({
              ...{ ...link, meshId: toMeshId(77), asn: 4_200_000_077 },
              ...{ localAddress: Ipv4.parse("127.0.1.2"), remoteAddress: Ipv4.parse("127.0.1.1") },
              ...{ meshAddress: Ipv4.parse("10.77.0.2"), meshAddress6: Ipv6.parse("fd77::2") },
            }),
          ],
        }),
      });
      await apply(b, "eth1", config88(1, { members: [in88(G)], meshPolicies: of88 }));
    }

    async function routesOf(machine: BirdMachine | undefined, name: string) {
      const routes = (await birds.get(`${machine?.folder}${name}`)?.readRoutes()) ?? [];
      return routes.filter(
        ({ isBest, prefix: of }) => isBest && (machine === b ? [...ALL, DEFAULT] : ALL).some((one) => one === of),
      );
    }
    const heard = async (machine: BirdMachine | undefined, name: string) =>
      (await routesOf(machine, name))
        .map(({ prefix: of, bgp }) => ({
          prefix: of,
          path: bgp?.asPath.length ?? 0,
          preference: bgp?.localPreference ?? 0,
        }))
        .sort((one, other) => one.prefix.localeCompare(other.prefix));
    const expectHeard = (machine: () => BirdMachine | undefined, name: string, expected: [string, number, number][]) =>
      eventually(
        async () =>
          expect((await heard(machine(), name)).map((one) => [one.prefix, one.path, one.preference])).toEqual(expected),
        WITHIN_MS,
      );

    it("an import policy decides at the gateway's link, and members take what it accepted and changed", async () => {
      const rules = [
        { match: { prefixes: [OTHER_LAN] }, action: "reject" },
        { match: { prefixes: [LAN] }, action: "accept", prependCount: 2, setLocalPreference: 150 },
      ];
      await run({ in88: Policies.parse({ import: toPolicy(rules) }) });
      await expectHeard(() => b, "eth1", [
        [LAN, 3, 150],
        [PUBLIC, 1, 100],
      ]);
    });

    it("an export policy decides what leaves, and a change of it interrupts no session", async () => {
      const sinceOf = async () =>
        (await birds.get(`${b?.folder}eth1`)?.readProtocols())?.find(({ name }) => name === toMachineId(2))?.sinceMs;
      const since = await sinceOf();
      const rules = [{ match: { prefixes: [PUBLIC] }, action: "reject" }];
      await run({
        in77: Policies.parse({ export: toPolicy([...rules, { action: "accept", prependCount: 1 }]) }),
        in88: Policies.parse({ import: toPolicy([]) }),
      });
      await expectHeard(() => b, "eth1", [
        [LAN, 2, 100],
        [OTHER_LAN, 2, 100],
      ]);
      // BIRD may tell a time a millisecond earlier or later than before.
      expect(await sinceOf()).toBeCloseTo(since ?? 0, -1);
    });

    it("a machine's own decide what it announces, and what it takes; others keep theirs", async () => {
      const ofA = Policies.parse({
        export: toPolicy([
          { match: { prefixes: [PUBLIC] }, action: "reject" },
          { action: "accept", setLocalPreference: 50 },
        ]),
      });
      const ofC = Policies.parse({
        import: toPolicy([{ match: { prefixes: [OTHER_LAN] }, action: "accept" }], "reject"),
      });
      await run({ a: ofA, c: ofC });
      await expectHeard(() => c, "eth0", [[OTHER_LAN, 0, 50]]);
      await expectHeard(() => g, "eth0", [
        [LAN, 0, 50],
        [OTHER_LAN, 0, 50],
      ]);
    });

    it("none of them lets a member announce what it was not authorised for", async () => {
      const everything = Policies.parse({ import: toPolicy([]), export: toPolicy([]) });
      const announcements = [{ id: "all", prefixes: [...ALL, prefix("198.51.100.0/24")], state: "announced" as const }];
      await run({ a: everything, c: everything, in77: everything });
      await apply(a, "eth0", birdConfig(1, { members: [G, C], announcements, meshPolicies: everything }));
      await expectHeard(() => c, "eth0", [
        [LAN, 0, 100],
        [OTHER_LAN, 0, 100],
        [PUBLIC, 0, 100],
      ]);
      const refused = async () =>
        ((await birds.get(`${c?.folder}eth0`)?.readRoutes()) ?? [])
          .filter(({ prefix: of }) => of === "198.51.100.0/24")
          .map(({ isFiltered }) => isFiltered);
      await eventually(async () => expect(new Set(await refused())).toEqual(new Set([true])), WITHIN_MS);
    });
  },
);
