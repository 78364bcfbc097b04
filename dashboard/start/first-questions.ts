/** What every page asks at first, because the frame around them does: as the client asks it (first-questions.test.ts). */
export const FIRST_QUESTIONS = ["/api/v1/me", "/api/v1/machines?limit=100", "/api/v1/meshes?limit=100"];
