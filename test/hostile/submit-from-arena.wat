;; Keeps its submissions where poll puts payloads, and lets poll overwrite them before the work is done.
;; outcome: 204
(func $request
  (i32.store (i32.const 0x8000) (i32.const 7))
  (memory.fill (i32.const 0x8004) (i32.const 0) (i32.const 60))
  (i32.store16 (i32.const 0x8008) (i32.const 8))
  (i32.store (i32.const 0x800c) (call $store))
  ;; The key lies behind the record, in the arena too.
  (i32.store (i32.const 0x8014) (i32.const 0x8040))
  (i32.store (i32.const 0x8018) (i32.const 3))
  (memory.copy (i32.const 0x8040) (i32.const 0x6f08) (i32.const 3))
  (i32.store (i32.const 0x701c) (i32.const -7))
  (global.set $left (i32.const 2))
  (call $expect (call $submit (i32.const 0x8000) (i32.const 1)) (i32.const 1) (i32.const 100))
  (call $expect (call $poll (i32.const 0) (i32.const 0) (i32.const 0x8000) (i32.const 0x8000)) (i32.const 0) (i32.const 101))
  (memory.fill (i32.const 0x8000) (i32.const 0xff) (i32.const 0x8000))
  (global.set $left (i32.const 0))
  (call $blank (i32.const 0) (i32.const 0))
  (call $try (i32.const 0))
  (global.set $left (i32.const 2)))
