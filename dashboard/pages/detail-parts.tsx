// What the pages of one thing share: the way back to the list, and what stands where the thing is gone.
import { Link } from "@tanstack/react-router";
import { ChevronLeft } from "lucide-react";
import type { ErrorCode } from "#schema/errors";
import { isApiError } from "../api/api-error.ts";
import { buttonClass } from "../components/button.tsx";
import { EmptyState } from "../components/states.tsx";

interface ListPlace {
  readonly to: "/machines" | "/meshes" | "/policy-sets";
  /** As the list's page is called: `Machines`. */
  readonly label: string;
}

export const BackLink = ({ to, label }: ListPlace) => (
  <Link to={to} className="inline-flex items-center gap-1 hover:text-ink">
    <ChevronLeft aria-hidden className="size-3.5" /> {label}
  </Link>
);

interface Missing extends ListPlace {
  readonly code: ErrorCode;
  /** One of them: `machine`. */
  readonly noun: string;
  readonly why: string;
}

/** For QueryView: deleted, or a bad address, is no failure to try again. */
export const toMissing =
  ({ to, label, code, noun, why }: Missing) =>
  (error: Error) =>
    isApiError(error) && (error.code === code || error.code === "validation_failed") ? (
      <EmptyState
        icon={<ChevronLeft />}
        isWholePage
        title={`There is no such ${noun}`}
        action={
          <Link to={to} className={buttonClass()}>
            All {label.toLowerCase()}
          </Link>
        }
      >
        {why}
      </EmptyState>
    ) : undefined;
