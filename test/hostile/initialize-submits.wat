;; Submits and polls while it starts as if it had a request, more than one turn may take.
;; outcome: 204
;; own: _initialize
(func (export "_initialize")
  (local $left i32) (local $taken i32)
  (call $blank (i32.const 4) (i32.const 0))
  (i32.store (i32.const 0x202c) (i32.const 1))
  (drop (call $submit (i32.const 0x2000) (i32.const 1)))
  (local.set $left (i32.const 300))
  (loop $next
    (call $blank (i32.const 3) (i32.const 0))
    (i32.store (i32.const 0x2000) (i32.const 1))
    (drop (call $submit (i32.const 0x2000) (i32.const 1)))
    (br_if $next (local.tee $left (i32.sub (local.get $left) (i32.const 1)))))
  (loop $again
    (local.set $left (call $poll (i32.const 0) (i32.const 16) (i32.const 0x8000) (i32.const 0x8000)))
    ;; Each of them was NotPermitted.
    (if (local.get $left)
      (then
        (call $expect (i32.load (i32.const 8)) (i32.const -4) (i32.const 100))
        (local.set $taken (i32.add (local.get $taken) (local.get $left)))
        (br $again))))
  (call $expect (local.get $taken) (i32.const 256) (i32.const 101)))
(func $request
  (call $respond (i32.const 204)))
