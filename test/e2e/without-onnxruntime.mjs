// Given to Node by --import: onnxruntime-node is not installed, here and in all threads.
import { register } from "node:module";

const hooks = `
export function resolve(name, context, next) {
  if (name !== "onnxruntime-node") return next(name, context);
  const error = new Error("Cannot find package 'onnxruntime-node'");
  throw Object.assign(error, { code: "ERR_MODULE_NOT_FOUND" });
}`;
register(`data:text/javascript,${encodeURIComponent(hooks)}`);
