;; Answers wrongly, closes nothing and cancels nothing, six thousand times in one turn.
;; outcome: 204
;; calls: many
;; own: completed
(func $request
  (local $again i32)
  (loop $next
    (call $respond (i32.const 99))
    (call $blank (i32.const 2) (global.get $exchange))
    (i32.store (i32.const 0x203c) (i32.const 1))
    (drop (call $submit (i32.const 0x2000) (i32.const 1)))
    (call $blank (i32.const 1) (i32.const 0))
    (i32.store16 (i32.const 0x200a) (i32.const 1))
    (drop (call $submit (i32.const 0x2000) (i32.const 1)))
    (local.set $again (i32.add (local.get $again) (i32.const 1)))
    (br_if $next (i32.lt_u (local.get $again) (i32.const 2000))))
  (call $respond (i32.const 204)))
(func $completed (param $record i32))
