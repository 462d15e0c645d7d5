;; Asks ten thousand times in one turn for what nobody has granted.
;; outcome: 204
;; calls: many
(func $request
  (local $left i32)
  (local.set $left (i32.const 10000))
  (loop $next
    (call $expect (call $open (i32.const 0x6f08) (i32.const 3)) (i32.const -7) (i32.const 100))
    (br_if $next (local.tee $left (i32.sub (local.get $left) (i32.const 1)))))
  (call $respond (i32.const 204)))
