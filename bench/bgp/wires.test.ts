import { expect, test } from "vitest";
import { renderHub, renderMember } from "./wires.ts";

test("the hub has a cable to each member, and a route, and asks nobody", () => {
  expect(renderHub(2)).toMatchInlineSnapshot(`
    "netns add m1
    netns add m2
    link add dev p1 address 02:00:00:00:00:01 up type veth peer name bkt-bench address 02:00:00:00:00:01 netns m1
    route add 10.77.0.1/32 dev p1
    neigh add 10.77.0.1 lladdr 02:00:00:00:00:01 dev p1 nud permanent
    link add dev p2 address 02:00:00:00:00:01 up type veth peer name bkt-bench address 02:00:00:00:00:01 netns m2
    route add 10.77.0.2/32 dev p2
    neigh add 10.77.0.2 lladdr 02:00:00:00:00:01 dev p2 nud permanent
    "
  `);
});

test("a member has the mesh's networks on its interface, and sends to the hub", () => {
  expect(renderMember(300)).toMatchInlineSnapshot(`
    "link set dev lo up
    link set dev bkt-bench addrgenmode none up
    address add 10.77.1.44/16 dev bkt-bench
    address add fd77::12c/64 dev bkt-bench nodad
    neigh add 169.254.0.1 lladdr 02:00:00:00:00:01 dev bkt-bench nud permanent
    route add 10.77.0.0/16 via 169.254.0.1 dev bkt-bench onlink table 100
    rule add from 10.77.0.0/16 lookup 100
    "
  `);
});
