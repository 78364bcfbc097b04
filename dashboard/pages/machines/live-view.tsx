// What a machine is asked for itself: it has to be connected, and to answer.
import type { UseQueryResult } from "@tanstack/react-query";
import { PlugZap } from "lucide-react";
import type { ReactNode } from "react";
import { isApiError } from "../../api/api-error.ts";
import { EmptyState } from "../../components/states.tsx";
import { QueryView } from "../query-view.tsx";

interface LiveViewProps<Data> {
  readonly query: UseQueryResult<Data>;
  readonly children: (data: Data) => ReactNode;
}

const toOffline = (error: Error) => {
  if (!isApiError(error)) return undefined;
  if (error.code === "machine_offline") {
    return (
      <EmptyState icon={<PlugZap />} title="The machine is not connected">
        This is asked of the machine itself. It is shown as soon as the machine comes back; the tunnels may well work
        meanwhile.
      </EmptyState>
    );
  }
  if (error.code === "machine_silent") {
    return (
      <EmptyState icon={<PlugZap />} title="The machine is connected and does not answer">
        Its agent may be busy or stuck. It is asked again every few seconds.
      </EmptyState>
    );
  }
  return undefined;
};

export const LiveView = <Data,>({ query, children }: LiveViewProps<Data>) => (
  <QueryView query={query} onError={toOffline}>
    {children}
  </QueryView>
);
