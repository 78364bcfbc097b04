import { Link } from "@tanstack/react-router";
import { CircleArrowUp } from "lucide-react";
import { startRollout } from "#schema/api/rollouts";
import type { Machine } from "#schema/machine";
import { useCan } from "../../api/session.ts";
import { buttonClass } from "../../components/button.tsx";
import { Notice } from "../../components/states.tsx";

/** Nothing, while every machine runs the agent that the control plane hands out. */
export function UpgradeNotice({ machines }: { readonly machines: readonly Machine[] }) {
  const canStart = useCan(startRollout);
  const older = machines.filter(({ upToDate }) => upToDate === false).length;
  if (older === 0) return null;
  return (
    <Notice tone="info" icon={<CircleArrowUp aria-hidden />}>
      <div className="flex flex-wrap items-center justify-between gap-x-4 gap-y-2">
        <p>
          {older === 1 ? "One machine runs" : `${older} machines run`} another agent than this control plane hands out.
        </p>
        <Link to="/rollouts" search={canStart ? { start: "rollout" } : {}} className={buttonClass({ size: "small" })}>
          {canStart ? "Roll out" : "Roll-outs"}
        </Link>
      </div>
    </Notice>
  );
}
