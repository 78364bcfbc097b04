// What the Relay object offers to the Worker.
export interface RelayObjectRpc {
  /** The WebSocket upgrade of an authenticated machine (see TRUSTED_HEADERS), with a ticket of the mesh. */
  fetch(request: Request): Promise<Response>;
}
