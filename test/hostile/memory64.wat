;; Defines a memory of 64-bit addresses, and speaks to the host in 32.
;; outcome: 204
;; healthy: 204
;; own: memory helpers _initialize run completed healthy
(memory (export "memory") i64 2)
(func (export "_initialize")
  (i32.store16 (i64.const 0x2008) (i32.const 4))
  (i32.store (i64.const 0x202c) (i32.const 1))
  (drop (call $submit (i32.const 0x2000) (i32.const 1))))
(func (export "run") (param $budget i32) (result i32)
  (local $count i32)
  (local.set $count (call $poll (i32.const 0) (i32.const 1) (i32.const 0x8000) (i32.const 0x8000)))
  (if (i32.and (i32.load (i64.const 12)) (i32.const 1))
    (then
      (i32.store (i64.const 0x2000) (i32.const 1))
      (i32.store16 (i64.const 0x2008) (i32.const 5))
      (i32.store (i64.const 0x200c) (i32.load (i64.const 16)))
      (i32.store (i64.const 0x202c) (i32.const 204))
      (drop (call $submit (i32.const 0x2000) (i32.const 1)))))
  (local.get $count))
