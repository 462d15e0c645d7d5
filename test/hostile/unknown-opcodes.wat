;; Tries the opcodes that this version does not have, and those that look like others.
;; outcome: 204
(func $request
  (local $opcode i32)
  (local.set $opcode (i32.const 15))
  (loop $next
    (call $blank (local.get $opcode) (i32.const -1))
    (call $try (i32.const -5))
    (local.set $opcode (i32.add (i32.mul (local.get $opcode) (i32.const 3)) (i32.const 1)))
    (br_if $next (i32.lt_u (local.get $opcode) (i32.const 0x10000))))
  (call $blank (i32.const 0x8000) (i32.const 0))
  (call $try (i32.const -5))
  (call $blank (i32.const 0xffff) (i32.const 0))
  (call $try (i32.const -5)))
