// Readiness, for units of Type=notify. The message goes to a datagram socket (sd_notify(3)), which Node has none of: systemd-notify sends it, so the
// unit needs NotifyAccess=all.
import { execFile } from "node:child_process";

/** Nothing, where no service manager asked for it. A failure is said: systemd itself tells when it waited in vain. */
export function tellServiceManager(environment: NodeJS.ProcessEnv, say: (line: string) => void): void {
  if (!environment.NOTIFY_SOCKET) return;
  execFile("systemd-notify", ["--ready"], { env: environment }, (error) => {
    if (error !== null) say(`systemd could not be told that the control plane is ready: ${error.message}`);
  });
}
