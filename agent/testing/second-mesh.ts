// What bird-fixture makes is of mesh 77. The same of mesh 88, for machines that are in both.
import { Ipv4, Ipv4Cidr, Ipv6, Ipv6Cidr } from "#schema/address";
import type { BirdConfig, BirdMember } from "../bird/bird-config.ts";

export const memberIn88 = (member: BirdMember): BirdMember => ({
  ...member,
  address: Ipv4.parse(member.address.replace("10.77", "10.88")),
  address6: Ipv6.parse(member.address6.replace("fd77", "fd88")),
});

export const in88 = (config: BirdConfig): BirdConfig => ({
  ...config,
  asn: 4_200_000_088,
  cidr: Ipv4Cidr.parse("10.88.0.0/16"),
  cidr6: Ipv6Cidr.parse("fd88::/64"),
  address: Ipv4.parse(config.address.replace("10.77", "10.88")),
  address6: Ipv6.parse(config.address6.replace("fd77", "fd88")),
  kernelMetric: 5_202,
  members: config.members.map(memberIn88),
});
