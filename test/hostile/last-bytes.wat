;; Keeps its records, its payloads and its arguments at the very end of memory.
;; outcome: 204
;; own: run completed
(func (export "run") (param $budget i32) (result i32)
  (local $count i32)
  ;; The last record but one; the arena ends where memory does.
  (local.set $count (call $poll (i32.const 0x1ffe0) (i32.const 1) (i32.const 0x1f000) (i32.const 0x1000)))
  ;; One more does not fit. Neither does an arena of one byte more.
  (if (i32.eq (local.get $count) (i32.const 1))
    (then
      (call $expect (call $poll (i32.const 0x1fff0) (i32.const 0) (i32.const 0x1f000) (i32.const 0x1001)) (i32.const -2) (i32.const 100))
      (call $expect (call $poll (i32.const 0x20000) (i32.const 0) (i32.const 0x20000) (i32.const 0)) (i32.const 0) (i32.const 101))
      (call $expect (call $poll (i32.const 0x20004) (i32.const 0) (i32.const 0x20000) (i32.const 0)) (i32.const -2) (i32.const 102))))
  (if (i32.and (i32.load (i32.const 0x1ffec)) (i32.const 1))
    (then
      (global.set $exchange (i32.load (i32.const 0x1fff0)))
      (call $blank (i32.const 5) (global.get $exchange))
      (i32.store (i32.const 0x202c) (i32.const 204))
      (memory.copy (i32.const 0x1ffc0) (i32.const 0x2000) (i32.const 64))
      (call $expect (call $submit (i32.const 0x1ffc4) (i32.const 1)) (i32.const -2) (i32.const 103))
      (call $expect (call $submit (i32.const 0x1ffc0) (i32.const 2)) (i32.const -2) (i32.const 104))
      (call $expect (call $submit (i32.const 0x1ffc0) (i32.const 1)) (i32.const 1) (i32.const 105))))
  (local.get $count))
