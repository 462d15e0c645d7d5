;; Reads a value a hundred times, and polls without any room for it until each has failed.
;; outcome: 204
;; calls: many
;; own: run completed
(global $stored (mut i32) (i32.const 0))
(global $demands (mut i32) (i32.const 0))
(global $failed (mut i32) (i32.const 0))
(func $value (param $opcode i32) (param $slot i32)
  (call $blank (local.get $opcode) (call $store))
  (i32.store (i32.const 0x2000) (local.get $slot))
  (i32.store (i32.const 0x2014) (i32.const 0x6f08))
  (i32.store (i32.const 0x2018) (i32.const 3))
  ;; To write: a thousand bytes.
  (if (i32.eq (local.get $opcode) (i32.const 9))
    (then
      (i32.store (i32.const 0x201c) (i32.const 0x3000))
      (i32.store (i32.const 0x2020) (i32.const 1000))))
  (call $expect (call $submit (i32.const 0x2000) (i32.const 1)) (i32.const 1) (i32.const 100)))
(func $gets
  (local $left i32)
  (local.set $left (i32.const 100))
  (loop $next
    (call $value (i32.const 8) (i32.add (local.get $left) (i32.const 9)))
    (br_if $next (local.tee $left (i32.sub (local.get $left) (i32.const 1))))))
(func (export "run") (param $budget i32) (result i32)
  (local $count i32)
  (local.set $count (call $poll (i32.const 0) (i32.const 1)
    (i32.const 0x8000) (select (i32.const 7) (i32.const 0x8000) (i32.eq (global.get $stored) (i32.const 2)))))
  (if (i32.eq (local.get $count) (i32.const -10))
    (then
      (global.set $demands (i32.add (global.get $demands) (i32.const 1)))
      ;; The value, and room to align it.
      (call $expect (i32.load (i32.const 24)) (i32.const 1008) (i32.const 101))
      (return (i32.const 1))))
  (if (i32.and (i32.load (i32.const 12)) (i32.const 1))
    (then
      (global.set $exchange (i32.load (i32.const 16)))
      (global.set $stored (i32.const 1))
      (global.set $demands (i32.const 0))
      (global.set $failed (i32.const 0))
      (call $value (i32.const 9) (i32.const 9)))
    (else (if (i32.eq (i32.load (i32.const 8)) (i32.const -10))
      (then
        (global.set $failed (i32.add (global.get $failed) (i32.const 1)))
        (if (i32.eq (global.get $failed) (i32.const 100))
          (then
            (call $expect (global.get $demands) (i32.const 100) (i32.const 102))
            (global.set $stored (i32.const 0))
            (call $respond (i32.const 204)))))
      (else (if (i32.eq (global.get $stored) (i32.const 1))
        (then
          (global.set $stored (i32.const 2))
          (call $gets)))))))
  (i32.const 1))
