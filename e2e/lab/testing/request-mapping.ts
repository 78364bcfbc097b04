// Asks a machine's router for a port, by port-mapping-client.ts on that machine.
import path from "node:path";
import type { LabNode } from "../node.ts";

const PROGRAM = path.join(import.meta.dirname, "port-mapping-client.ts");

interface MappingRequest {
  readonly protocol: "nat-pmp" | "pcp" | "upnp";
  readonly internalPort: number;
  readonly publicPort: number;
  /** 0 closes it. */
  readonly seconds: number;
}

/** The public endpoint; rejects with the router's code when it refuses. */
export async function requestMapping(machine: LabNode, request: MappingRequest): Promise<string> {
  const { protocol, internalPort, publicPort, seconds } = request;
  const { stdout } = await machine.exec(["ip", "-json", "route", "show", "default"]);
  const [route] = JSON.parse(stdout) as { gateway: string }[];
  const parts = [protocol, route?.gateway ?? "", machine.ipv4 ?? "", internalPort, publicPort, seconds].map(String);
  const answer = await machine.exec([process.execPath, PROGRAM, ...parts]);
  return answer.stdout.trim();
}
