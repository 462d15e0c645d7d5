;; Answers the exchange whose number it guesses, and has no room for the request that brings it.
;; outcome: 204
;; own: run completed
(global $answered (mut i32) (i32.const 0))
(global $taken (mut i32) (i32.const 0))
(func $poll0 (result i32)
  (local $count i32)
  (local.set $count (call $poll (i32.const 0) (i32.const 64) (i32.const 0) (i32.const 0)))
  (if (i32.gt_s (local.get $count) (i32.const 0))
    (then (global.set $taken (i32.add (global.get $taken) (local.get $count)))))
  (local.get $count))
(func (export "run") (param $budget i32) (result i32)
  (local $guess i32)
  (if (i32.and (i32.eq (call $poll0) (i32.const -10)) (i32.eqz (global.get $answered)))
    (then
      (global.set $answered (i32.const 1))
      (loop $next
        (global.set $exchange (local.tee $guess (i32.add (local.get $guess) (i32.const 1))))
        (call $respond (i32.const 204))
        (br_if $next (i32.lt_u (local.get $guess) (i32.const 40))))))
  (drop (call $poll0))
  ;; The request and forty answers: then another one may come.
  (if (i32.eq (global.get $taken) (i32.const 41))
    (then
      (global.set $taken (i32.const 0))
      (global.set $answered (i32.const 0))))
  (i32.const 1))
