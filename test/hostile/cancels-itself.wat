;; Cancels the cancel that it is, the one before it, and what the same batch has just begun.
;; outcome: 204
;; own: completed
(global $seen (mut i32) (i32.const 0))
(func $record (param $slot i32) (param $opcode i32) (param $argument i32)
  (call $blank (local.get $opcode) (i32.const 0))
  (i32.store (i32.const 0x2000) (local.get $slot))
  (i32.store (i32.const 0x202c) (local.get $argument))
  (call $expect (call $submit (i32.const 0x2000) (i32.const 1)) (i32.const 1) (i32.const 100)))
(func $request
  (global.set $seen (i32.const 0))
  (call $record (i32.const 10) (i32.const 1) (i32.const 10))
  (call $record (i32.const 11) (i32.const 1) (i32.const 10))
  (call $record (i32.const 12) (i32.const 3) (i32.const 1000))
  (call $record (i32.const 13) (i32.const 1) (i32.const 12))
  (call $record (i32.const 14) (i32.const 1) (i32.const 12)))
(func $completed (param $record i32)
  (local $slot i32)
  (local.set $slot (i32.load (local.get $record)))
  (if (i32.lt_u (local.get $slot) (i32.const 10)) (then (return)))
  ;; The timer alone was cancelled, by the first that named it.
  (call $expect (i32.load offset=8 (local.get $record))
    (select (i32.const -8) (i32.const 0) (i32.eq (local.get $slot) (i32.const 12))) (i32.const 101))
  (call $expect (i32.load offset=28 (local.get $record))
    (i32.and (i32.ne (local.get $slot) (i32.const 12)) (i32.ne (local.get $slot) (i32.const 13))) (i32.const 102))
  (global.set $seen (i32.add (global.get $seen) (i32.const 1)))
  (if (i32.eq (global.get $seen) (i32.const 5)) (then (call $respond (i32.const 204)))))
