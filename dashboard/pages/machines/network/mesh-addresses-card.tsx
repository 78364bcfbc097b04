// The addresses that a machine has: in its meshes, on its WireGuard interfaces there, and of its own.
import { Link } from "@tanstack/react-router";
import { listMachineEndpoints } from "#schema/api/machine-links";
import { getMachine } from "#schema/api/machines";
import { SLOW_EVERY_MS } from "../../../api/pace.ts";
import { useReply } from "../../../api/use-api.ts";
import { Age } from "../../../components/age.tsx";
import { CopyText } from "../../../components/copy-text.tsx";
import { Card } from "../../../components/layout.tsx";
import { useMembers } from "../use-members.ts";

interface CardProps {
  readonly machineId: string;
}

export function MeshAddressesCard({ machineId }: CardProps) {
  const machine = useReply(getMachine, { params: { machineId } });
  const meshes = machine.data?.meshes ?? [];
  const members = useMembers(machineId, meshes);
  return (
    <Card title="In its meshes" note="a WireGuard interface in each" isFlush>
      {meshes.length === 0 ? (
        <p className="p-4 text-muted">It is in no mesh.</p>
      ) : (
        <ul className="divide-y divide-line">
          {meshes.map(({ meshId, meshName, address, address6 }, index) => {
            const key = members[index]?.publicKey ?? null;
            const since = members[index]?.keySince ?? null;
            return (
              <li key={meshId} className="flex flex-wrap items-baseline gap-x-6 gap-y-1 px-4 py-2.5">
                <Link to="/meshes/$meshId" params={{ meshId }} className="min-w-32 font-medium hover:text-accent">
                  {meshName}
                </Link>
                <CopyText text={address} what={`address in ${meshName}`} />
                <CopyText text={address6} what={`IPv6 address in ${meshName}`} />
                {key !== null && <CopyText text={key} what="WireGuard public key" className="text-muted text-xs" />}
                {since !== null && (
                  <span className="text-muted text-xs">
                    key of <Age at={since} />
                  </span>
                )}
              </li>
            );
          })}
        </ul>
      )}
    </Card>
  );
}

/** Of its interfaces towards the networks that it is in. */
export function OwnAddressesCard({ machineId }: CardProps) {
  const endpoints = useReply(listMachineEndpoints, { params: { machineId } }, { everyMs: SLOW_EVERY_MS });
  const own = (endpoints.data?.items ?? []).filter(({ type }) => type === "host").map(({ address }) => toHost(address));
  if (own.length === 0) return null;
  return (
    <Card title="Its own addresses" note="on its interfaces">
      <div className="flex flex-wrap gap-x-6 gap-y-1">
        {[...new Set(own)].map((address) => (
          <CopyText key={address} text={address} what="address" />
        ))}
      </div>
    </Card>
  );
}

/** `[2001:db8::1]:51820` → `2001:db8::1` */
const toHost = (endpoint: string): string => endpoint.slice(0, endpoint.lastIndexOf(":")).replace(/^\[|\]$/g, "");
