;; Keeps the first request waiting, and answers, reads and closes it from within the second.
;; outcome: pair
;; own: completed
(global $first (mut i32) (i32.const 0))
(func $request
  (if (i32.eqz (global.get $first))
    (then
      (global.set $first (global.get $exchange))
      (call $blank (i32.const 3) (i32.const 0))
      (i32.store (i32.const 0x2000) (i32.const 200))
      (i32.store (i32.const 0x202c) (i32.const 50))
      (drop (call $submit (i32.const 0x2000) (i32.const 1))))
    (else
      (call $blank (i32.const 5) (global.get $first))
      (i32.store (i32.const 0x202c) (i32.const 299))
      (call $try (i32.const -3))
      (call $blank (i32.const 6) (global.get $first))
      (call $try (i32.const -3))
      (call $blank (i32.const 2) (global.get $first))
      (call $try (i32.const -3))
      ;; Its own answer, from the body of the other.
      (call $blank (i32.const 5) (global.get $exchange))
      (i32.store (i32.const 0x202c) (i32.const 200))
      (i32.store (i32.const 0x2030) (global.get $first))
      (call $try (i32.const -3))
      ;; The other's timer cannot be cancelled from here: too late, it says.
      (call $blank (i32.const 1) (i32.const 0))
      (i32.store (i32.const 0x202c) (i32.const 200))
      (call $try (i32.const 0)))))
(func $completed (param $record i32)
  (local $slot i32)
  (local.set $slot (i32.load (local.get $record)))
  (if (i32.eq (local.get $slot) (i32.const 200))
    (then
      (call $expect (i32.load offset=8 (local.get $record)) (i32.const 0) (i32.const 200))
      (global.set $exchange (global.get $first))
      (call $respond (i32.const 201))
      (return)))
  (if (i32.lt_u (local.get $slot) (i32.const 2)) (then (return)))
  (call $expect
    (i32.load offset=8 (local.get $record))
    (i32.load (i32.add (i32.const 0x7000) (i32.shl (local.get $slot) (i32.const 2))))
    (local.get $slot))
  (global.set $left (i32.sub (global.get $left) (i32.const 1)))
  (if (i32.eqz (global.get $left)) (then (call $respond (i32.const 204)))))
