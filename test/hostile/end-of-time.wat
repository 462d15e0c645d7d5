;; Answers, and leaves a thousand timers behind that run for as long as any may.
;; outcome: 204
;; calls: many
;; own: completed
(func $request
  (local $slot i32)
  (local.set $slot (i32.const 1010))
  (loop $next
    (call $blank (i32.const 3) (i32.const 0))
    (i32.store (i32.const 0x2000) (local.get $slot))
    (i32.store (i32.const 0x2010) (i32.const 0x7fffffff))
    (i32.store (i32.const 0x202c) (i32.const 0x7fffffff))
    (call $expect (call $submit (i32.const 0x2000) (i32.const 1)) (i32.const 1) (i32.const 100))
    (br_if $next (i32.gt_u (local.tee $slot (i32.sub (local.get $slot) (i32.const 1))) (i32.const 10))))
  (call $respond (i32.const 204)))
(func $completed (param $record i32)
  ;; At the same time the timer counts, and not its deadline.
  (call $expect (i32.load offset=8 (local.get $record)) (i32.const 0) (i32.const 101)))
