;; Answers its exchange five thousand times in one turn. The first counts.
;; outcome: 204
;; calls: many
;; own: completed
(func $request
  (local $again i32)
  (loop $next
    (call $respond (i32.const 204))
    (local.set $again (i32.add (local.get $again) (i32.const 1)))
    (br_if $next (i32.lt_u (local.get $again) (i32.const 5000)))))
(func $completed (param $record i32))
