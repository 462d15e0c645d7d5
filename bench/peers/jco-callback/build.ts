import { prepare } from "../prepare.ts";

export const build = (): Promise<void> => prepare("jco");
