// Random policies and routes, few enough values that they often meet.
import fc from "fast-check";
import type { PolicyRoute } from "#schema/evaluate-policy";
import { PolicyRules } from "#schema/policy";
import { Prefix } from "#schema/prefix";

const IPV4 = ["0.0.0.0/0", "10.0.0.0/8", "10.1.0.0/16", "10.1.2.0/24", "10.1.2.3/32", "10.128.0.0/9", "192.168.0.0/16"];
const IPV6 = ["::/0", "fd00::/8", "fd12:3400::/24", "fd12:3456::/32", "fd12:3456::1/128", "2001:db8::/32"];
const ASNS = [1, 64_512, 4_200_000_001, 4_294_967_295];
const COMMUNITIES = ["0:0", "65000:1", "65535:65535", "1:2:3", "4200000001:0:4294967295"];

const uint32 = fc.constantFrom(0, 1, 100, 4_294_967_295);
const communities = fc.uniqueArray(fc.constantFrom(...COMMUNITIES), { maxLength: 3 });
const asPathPattern = fc
  .array(fc.constantFrom("*", "?", "1..64512", "64513..4294967295", ...ASNS.map(String)), { maxLength: 4 })
  .map((items) => items.join(" "));

const prefixMatch = fc
  .record({
    prefixes: fc
      .constantFrom(IPV4, IPV6)
      .chain((all) => fc.uniqueArray(fc.constantFrom(...all), { minLength: 1, maxLength: 3 })),
    bounds: fc.constantFrom<readonly (readonly [number, number])[]>([], [[0, 0]], [[0, 8]], [[4, 32]], [[1, 200]]),
    edges: fc.constantFrom("both", "min", "max"),
  })
  .map(({ prefixes, bounds: [bound], edges }) => {
    if (bound === undefined) return { prefixes };
    const longest = Math.max(...prefixes.map((prefix) => Number(prefix.split("/")[1])));
    const most = prefixes[0]?.includes(":") ? 128 : 32;
    const [minLength, maxLength] = bound.map((more) => Math.min(most, longest + more));
    return { prefixes, ...(edges === "max" ? {} : { minLength }), ...(edges === "min" ? {} : { maxLength }) };
  });

const match = fc
  .tuple(
    fc.option(prefixMatch, { freq: 3 }),
    fc.option(fc.uniqueArray(fc.constantFrom(...COMMUNITIES), { minLength: 1, maxLength: 3 }), { freq: 1 }),
    fc.option(asPathPattern, { freq: 1 }),
  )
  .map(([ofPrefix, carried, asPath]) => ({
    ...ofPrefix,
    ...(carried === null ? {} : { communities: carried }),
    ...(asPath === null ? {} : { asPath }),
  }));

const rule = fc.oneof(
  match.map((matched) => ({ match: matched, action: "reject" })),
  fc.record({
    match,
    action: fc.constant("accept"),
    setLocalPreference: fc.option(uint32),
    setMed: fc.option(uint32),
    setCommunities: fc.option(communities),
    addCommunities: communities,
    removeCommunities: communities,
    prependCount: fc.nat(3),
  }),
);

export const anyPolicy = fc
  .record({
    rules: fc.array(rule, { maxLength: 6 }),
    defaultAction: fc.constantFrom("accept", "reject"),
    defaultLocalPreference: fc.option(uint32),
  })
  .map((policy) => PolicyRules.parse(policy));

/** One for each of many prefixes. */
export const anyRoutes: fc.Arbitrary<PolicyRoute[]> = fc.tuple(
  ...[...IPV4, ...IPV6, "10.1.2.0/25", "11.0.0.0/8", "fd12:3456::/64"].map((prefix) =>
    fc.record({
      prefix: fc.constant(Prefix.parse(prefix)),
      asPath: fc.array(fc.constantFrom(...ASNS), { maxLength: 4 }),
      communities,
      localPreference: fc.option(uint32),
      med: fc.option(uint32),
    }),
  ),
);
