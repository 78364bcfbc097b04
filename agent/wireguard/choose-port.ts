/** The port WireGuard is known by; ours go upwards from it. */
const FIRST_PORT = 51_820;
const LAST_PORT = 65_535;

/**
 * The first UDP port from 51820 up that nothing on this machine has. Chosen once for a mesh, then kept.
 * @param taken ports of the machine's other meshes, whether in use at the moment or not
 */
export async function choosePort(
  taken: ReadonlySet<number>,
  isFree: (port: number) => Promise<boolean>,
): Promise<number> {
  for (let port = FIRST_PORT; port <= LAST_PORT; port++) {
    if (!taken.has(port) && (await isFree(port))) return port;
  }
  throw new Error(`no UDP port from ${FIRST_PORT} up is free`);
}
