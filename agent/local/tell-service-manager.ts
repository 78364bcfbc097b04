// Readiness, for units of Type=notify. The message goes to a datagram socket (sd_notify(3)), which Node has none of: systemd-notify sends it, so the
// unit needs NotifyAccess=all.
import type { AgentPorts } from "../agent.ts";

/** Nothing, where no service manager asked for it. A failure is logged: systemd itself says when it waited in vain. */
export function tellServiceManager(
  { exec, log }: Pick<AgentPorts, "exec" | "log">,
  { NOTIFY_SOCKET }: Readonly<Record<string, string | undefined>>,
): void {
  if (NOTIFY_SOCKET === undefined || NOTIFY_SOCKET === "") return;
  exec
    .run(["env", `NOTIFY_SOCKET=${NOTIFY_SOCKET}`, "systemd-notify", "--ready"])
    .catch((error: unknown) => log.warn("systemd could not be told that the agent is up", { error }));
}
