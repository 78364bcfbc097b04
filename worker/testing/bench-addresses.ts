// The Worker of `bench addresses`: the real Mesh object with one method more, so that a call from outside can add many members. Each goes
// through the same `addMember` as any other.
import { Ipv6Cidr } from "#schema/address";
import { MachineId, MeshId } from "#schema/ids";
import { FIRST_PRIVATE_ASN, MeshCidr } from "#schema/mesh";
import { NO_POLICIES } from "#schema/policy";
import { MeshObject } from "../mesh-object/mesh-object.ts";

export { MachineObject } from "../machine-object/machine-object.ts";

export class BenchMeshObject extends MeshObject {
  async addMembers(first: number, count: number): Promise<{ lastAddress: string }> {
    let lastAddress = "";
    for (let number = first; number < first + count; number++) {
      const machineId = MachineId.parse(`mch_${toDigits(number)}`);
      const cause = { actor: { kind: "owner_token" as const, id: null, name: "owner" }, requestId: "req_bench" };
      const added = await this.addMember({
        machineId,
        name: `machine-${number}`,
        address: null,
        isGateway: false,
        cause,
      });
      if (!added.ok) throw new Error(added.error.code);
      lastAddress = added.value.address;
    }
    return { lastAddress };
  }

  /** The reference: as many bytes in one bare row each. */
  async insertBare(count: number): Promise<void> {
    const { sql } = this.ctx.storage;
    sql.exec("CREATE TABLE IF NOT EXISTS bare (number INTEGER PRIMARY KEY, text TEXT NOT NULL)");
    for (let index = 0; index < count; index++) sql.exec("INSERT INTO bare (text) VALUES (?)", "x".repeat(700));
  }

  /** How much D1 was not told yet. */
  async countUndelivered(): Promise<number> {
    return this.ctx.storage.sql.exec<{ count: number }>("SELECT count(*) AS count FROM outbox").one().count;
  }
}

interface BenchEnv {
  readonly MESH: DurableObjectNamespace<BenchMeshObject>;
}

export default {
  async fetch(request: Request, env: BenchEnv): Promise<Response> {
    const { pathname, searchParams } = new URL(request.url);
    const meshNumber = Number(searchParams.get("mesh") ?? 0);
    const count = Number(searchParams.get("count") ?? 0);
    const id = MeshId.parse(`msh_${toDigits(meshNumber)}`);
    const mesh = env.MESH.getByName(id);
    switch (pathname) {
      case "/initialise": {
        const [cidr, cidr6] = [MeshCidr.parse("10.1.0.0/16"), Ipv6Cidr.parse("fd00:1:2:3::/64")];
        await mesh.initialise({
          id,
          name: "bench",
          cidr,
          cidr6,
          asn: FIRST_PRIVATE_ASN,
          fallback: "relay",
          routeReflectorMode: false,
          keyRotationDays: null,
          policies: NO_POLICIES,
        });
        return Response.json(null);
      }
      case "/add":
        return Response.json(await mesh.addMembers(Number(searchParams.get("first")), count));
      case "/bare":
        await mesh.insertBare(count);
        return Response.json(null);
      case "/undelivered":
        return Response.json(await mesh.countUndelivered());
      default:
        return new Response(null, { status: 404 });
    }
  },
};

const toDigits = (number: number): string => String(number).padStart(26, "0");
