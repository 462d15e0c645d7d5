;; Cancels the accept, thousands of times.
;; outcome: 204
;; calls: many
;; own: completed
(func $request
  (local $again i32)
  (loop $next
    (call $blank (i32.const 1) (i32.const 0))
    (i32.store (i32.const 0x2000) (i32.const 2))
    (drop (call $submit (i32.const 0x2000) (i32.const 1)))
    (local.set $again (i32.add (local.get $again) (i32.const 1)))
    (br_if $next (i32.lt_u (local.get $again) (i32.const 5000))))
  (call $respond (i32.const 204)))
(func $completed (param $record i32))
