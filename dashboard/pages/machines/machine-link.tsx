import { Link } from "@tanstack/react-router";
import { classNames } from "../../lib/class-names.ts";

interface MachineLinkProps {
  readonly id: string;
  readonly name: string;
  /** In a list of machines: the whole row leads there, and a long name is cut. */
  readonly isRow?: boolean;
  readonly className?: string;
}

export const MachineLink = ({ id, name, isRow = false, className }: MachineLinkProps) => (
  <Link
    to="/machines/$machineId"
    params={{ machineId: id }}
    className={classNames(
      "hover:text-accent",
      isRow && "block min-w-0 truncate font-medium after:absolute after:inset-0",
      className,
    )}
  >
    {name}
  </Link>
);
