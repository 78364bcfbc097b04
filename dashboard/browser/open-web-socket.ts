// A WebSocket of this origin, narrowed to what is used of it. The browser sends the session's cookie and the Origin along.

export interface PageSocket {
  send(text: string): void;
  close(): void;
}
export interface SocketListener {
  message(text: string): void;
  /** Once, however it ended; not after `close()`. */
  closed(code: number): void;
}
export type OpenSocket = (path: string, listener: SocketListener) => PageSocket;

export const openWebSocket: OpenSocket = (path, listener) => {
  const url = new URL(path, location.href);
  url.protocol = url.protocol === "http:" ? "ws:" : "wss:";
  const socket = new WebSocket(url);
  const left = new AbortController();
  const { signal } = left;
  socket.addEventListener("message", ({ data }) => listener.message(String(data)), { signal });
  socket.addEventListener("close", ({ code }) => listener.closed(code), { signal });
  return {
    send: (text) => socket.readyState === WebSocket.OPEN && socket.send(text),
    close() {
      left.abort();
      socket.close();
    },
  };
};
