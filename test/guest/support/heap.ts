// Heap: tells whether anything was allocated between two moments, however small and however soon it was freed.
//
// The allocator of the minimal and the incremental runtime (TLSF) finds free blocks by bitmaps at the front of its
// root. While these are empty it believes itself full, so that the first allocation of all makes the memory grow. The
// stub runtime hands out memory from front to back: there two blocks tell by their distance.

import { Runtime } from "shared/runtime";

// ╒════════════ TLSF's root, see AssemblyScript's rt/tlsf ═════════════╕
// ├─────────┬───────────────────────┬──────────────────────────────────┤
// │  flMap  │  slMap[0 … 22], u32   │ head[0 … 22][0 … 15], addresses  │
// └─────────┴───────────────────────┴──────────────────────────────────┘
//   +0        +4                      +96
const FIRST_LEVELS: u32 = 23;
const SECOND_LEVELS: u32 = 16;
const HEADS: usize = 96;

const MARK_BYTES: usize = 16;
const STUB_HEAD_BYTES: usize = 4;

let pages: i32 = 0;
let mark: usize = 0;
let distance: usize = 0;

/** From now on every allocation leaves a trace. Collect before: what is freed may be allocated again without one. */
export function watchHeap(): void {
  if (ASC_RUNTIME == Runtime.Stub) {
    const first = heap.alloc(MARK_BYTES);
    mark = heap.alloc(MARK_BYTES);
    distance = mark - first;
    return;
  }
  pages = memory.size();
  memory.fill(root(), 0, HEADS);
}

/** Ends the watch: whether anything was allocated. */
export function wasAllocated(): bool {
  if (ASC_RUNTIME == Runtime.Stub) return heap.alloc(MARK_BYTES) - mark != distance;
  restoreMaps();
  return memory.size() != pages;
}

/**
 * How often something was allocated since the watch began. Only with the stub runtime, where nothing comes back: its blocks
 * lie one behind the other, each headed by its size.
 */
export function allocations(): u32 {
  const end = heap.alloc(MARK_BYTES);
  let count: u32 = 0;
  for (let at = behind(mark); at < end; at = behind(at)) count++;
  return count;
}

function behind(block: usize): usize {
  return block + load<u32>(block - STUB_HEAD_BYTES) + STUB_HEAD_BYTES;
}

/** The bitmaps follow from the lists of free blocks. */
function restoreMaps(): void {
  let flMap: u32 = 0;
  for (let fl: u32 = 0; fl < FIRST_LEVELS; fl++) {
    let slMap: u32 = 0;
    for (let sl: u32 = 0; sl < SECOND_LEVELS; sl++) {
      if (load<usize>(root() + HEADS + (fl * SECOND_LEVELS + sl) * 4)) slMap |= 1 << sl;
    }
    store<u32>(root() + 4 + fl * 4, slMap);
    if (slMap) flMap |= 1 << fl;
  }
  store<u32>(root(), flMap);
}

function root(): usize {
  return (__heap_base + 15) & ~15;
}
