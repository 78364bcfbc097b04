export { VERSION } from "#schema/version";
