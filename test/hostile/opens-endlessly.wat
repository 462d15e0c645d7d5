;; Opens the same name until the host says that it is enough, which it does, and far beyond.
;; outcome: 204
;; calls: many
(func $request
  (local $calls i32) (local $refused i32)
  (loop $next
    (if (i32.eq (call $store) (i32.const -6)) (then (local.set $refused (i32.add (local.get $refused) (i32.const 1)))))
    (local.set $calls (i32.add (local.get $calls) (i32.const 1)))
    (br_if $next (i32.lt_u (local.get $calls) (i32.const 70000))))
  (call $expect (i32.gt_u (local.get $refused) (i32.const 4000)) (i32.const 1) (i32.const 100))
  (call $respond (i32.const 204)))
