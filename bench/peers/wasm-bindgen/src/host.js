// What the guest imports: the same as ../../operations.ts.

export async function nothing() {
  await Promise.resolve();
}

export function sleep() {
  return new Promise((resolve) => setTimeout(resolve, 1));
}
