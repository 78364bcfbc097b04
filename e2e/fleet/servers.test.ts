// alice behind a hard NAT, carol public: what the lab's STUN servers and its proxy do.
import { describe, expect, test } from "vitest";
import { useLab } from "../lab/testing/use-lab.ts";
import { startConnectProxy } from "./connect-proxy.ts";
import { startControlPlane } from "./control-plane.ts";
import { startStunServers } from "./stun-servers.ts";

describe("the servers of a lab", () => {
  const lab = useLab({
    lans: [{ name: "home", nat: "hard" }],
    machines: [{ name: "alice", lan: "home" }, { name: "carol" }, { name: "six", ipv4: "none" }],
  });

  test("STUN servers see another port of a hard NAT from each of their addresses, and can answer from the other one (RFC 5780)", async () => {
    const { servers } = await startStunServers(lab());
    expect(servers).toEqual(["192.0.2.20:3478", "[2001:db8::20]:3478", "192.0.2.22:3478", "[2001:db8::22]:3478"]);
    const alice = await lab().machine("alice").exec(["turnutils_natdiscovery", "-m", "192.0.2.20"]);
    expect(alice.stdout).toContain("NAT with Address and Port Dependent Mapping!");
    const carol = await lab().machine("carol").exec(["turnutils_natdiscovery", "-f", "192.0.2.22"]);
    expect(carol.stdout).toContain("NAT with Endpoint Independent Filtering!");
    const six = await lab().machine("six").exec(["turnutils_stunclient", "2001:db8::22"]);
    expect(six.stdout).toContain("UDP reflexive addr: 2001:db8:2::b");
  });

  test("the control plane answers over IPv4, IPv6, port 443 and a proxy on the LAN's router", async () => {
    const controlPlane = await startControlPlane(lab());
    const proxy = await startConnectProxy(lab().node("home"), "192.168.1.1");
    const statusOf = async (name: string, ...argv: string[]) => {
      const common = ["curl", "--silent", "--globoff", "--output", "/dev/null", "--write-out", "%{http_code}"];
      return (
        await lab()
          .machine(name)
          .exec([...common, ...argv])
      ).stdout;
    };
    const [alice, six] = [lab().machine("alice"), lab().machine("six")];
    expect(await statusOf("alice", `${controlPlane.urlFor(alice)}/api/docs`)).toBe("200");
    expect(await statusOf("alice", `${controlPlane.urlFor(alice, { port: 443 })}/api/docs`)).toBe("200");
    expect(await statusOf("six", `${controlPlane.urlFor(six)}/api/docs`)).toBe("200");
    expect(await statusOf("alice", "--proxytunnel", "--proxy", proxy.url, `${controlPlane.url}/api/docs`)).toBe("200");
    expect(proxy.tunnels()).toEqual(["192.0.2.10:8080"]);
  });
});
