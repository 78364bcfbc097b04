// What marks a mesh's routes in the kernel's main table: BIRD's protocol number and a metric that only this mesh has on this machine. Pure.

/** RTPROT_BIRD (linux/rtnetlink.h); every BIRD's, also one that is not ours. */
export const BIRD_PROTOCOL = 12;

/** Above what network managers use. */
const FIRST_METRIC = 10_000;
const LAST_PORT = 65_535;

/** WireGuard's port is unique on the machine and kept for the mesh, so its metric is, too. */
export const toKernelMetric = (listenPort: number): number => FIRST_METRIC + listenPort;

export const isOurMetric = (metric: number): boolean => metric > FIRST_METRIC && metric <= FIRST_METRIC + LAST_PORT;
