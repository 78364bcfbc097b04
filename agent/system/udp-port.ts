import { createSocket, type SocketType } from "node:dgram";

/** True when a socket on all addresses, IPv4 and IPv6, could have this UDP port now. */
export async function isUdpPortFree(port: number): Promise<boolean> {
  return (await canBind("udp4", port)) && (await canBind("udp6", port));
}

function canBind(type: SocketType, port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = createSocket({ type, ipv6Only: type === "udp6" });
    socket.once("error", (error) => {
      socket.close();
      // A host without IPv6 has every port of it free.
      resolve("code" in error && error.code === "EAFNOSUPPORT");
    });
    socket.bind({ port, exclusive: true }, () => socket.close(() => resolve(true)));
  });
}
