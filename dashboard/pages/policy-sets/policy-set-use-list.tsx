import { Link } from "@tanstack/react-router";
import type { PolicySetUse } from "./policy-use-model.ts";

/** Meshes lead to their settings, machines to their overview: where it is changed. */
export const PolicySetUseList = ({ uses }: { readonly uses: readonly PolicySetUse[] }) => (
  <ul className="flex flex-col gap-1">
    {uses.map(({ kind, id, name, as }) => (
      <li key={`${kind} ${id}`}>
        {kind === "mesh" ? (
          <Link to="/meshes/$meshId/settings" params={{ meshId: id }} className={LINK}>
            {name}
          </Link>
        ) : (
          <Link to="/machines/$machineId" params={{ machineId: id }} className={LINK}>
            {name}
          </Link>
        )}
        <span className="text-muted">
          {" "}
          {kind}, {as}
        </span>
      </li>
    ))}
  </ul>
);

const LINK = "font-medium text-accent hover:underline";
