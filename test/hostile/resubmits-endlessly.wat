;; Submits a noop for each noop that completes, for ever.
;; outcome: never
;; calls: many
;; own: completed
(func $request
  (call $blank (i32.const 0) (i32.const 0))
  (call $try (i32.const 0)))
(func $completed (param $record i32)
  (call $request))
