;; Closes every number that there may be, its exchange first, and then tries to answer.
;; outcome: 500 unanswered
;; own: completed
(func $request
  (local $resource i32)
  (drop (call $store))
  (drop (call $api))
  (loop $next
    (call $blank (i32.const 2) (local.get $resource))
    (i32.store (i32.const 0x2000) (i32.const 2))
    (drop (call $submit (i32.const 0x2000) (i32.const 1)))
    (local.set $resource (i32.add (local.get $resource) (i32.const 1)))
    (br_if $next (i32.lt_u (local.get $resource) (i32.const 1000))))
  (call $respond (i32.const 204)))
(func $completed (param $record i32))
