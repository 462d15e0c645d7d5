;; Takes three completions at once and traps in the middle.
;; outcome: 500 trap
;; own: completed
(func $request
  (call $blank (i32.const 0) (i32.const 0))
  (call $try (i32.const 0))
  (call $try (i32.const 0))
  (call $try (i32.const 0)))
(func $completed (param $record i32)
  (if (i32.eq (i32.load (local.get $record)) (i32.const 3)) (then (unreachable))))
