;; Sets every flag and every bit of the reserved word, one after the other.
;; outcome: 204
(func $request
  (local $bit i32)
  (loop $next
    (call $blank (i32.const 0) (i32.const 0))
    (i32.store (i32.const 0x203c) (i32.shl (i32.const 1) (local.get $bit)))
    (call $try (i32.const -1))
    (call $blank (i32.const 0) (i32.const 0))
    ;; The highest flag is DETACHED, which every operation has.
    (i32.store16 (i32.const 0x200a) (i32.shl (i32.const 1) (local.get $bit)))
    (call $try (select (i32.const -1) (i32.const 0) (i32.lt_u (local.get $bit) (i32.const 15))))
    (local.set $bit (i32.add (local.get $bit) (i32.const 1)))
    (br_if $next (i32.lt_u (local.get $bit) (i32.const 32)))))
