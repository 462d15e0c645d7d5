;; Fetches fifty bodies, reads none, closes none, and answers with one of them while it closes that too.
;; outcome: 200
;; own: completed
;; GET https://api.test/
(data (i32.const 0x3000) "\01\00\00\00\03\00\00\00\01\00\00\00GET/")
(global $bodies (mut i32) (i32.const 0))
(func $request
  (local $left i32)
  (local.set $left (i32.const 50))
  (global.set $bodies (i32.const 0))
  (loop $next
    (call $blank (i32.const 7) (call $api))
    (i32.store (i32.const 0x2000) (i32.add (local.get $left) (i32.const 10)))
    (i32.store (i32.const 0x2024) (i32.const 0x3000))
    (i32.store (i32.const 0x2028) (i32.const 16))
    (drop (call $submit (i32.const 0x2000) (i32.const 1)))
    (br_if $next (local.tee $left (i32.sub (local.get $left) (i32.const 1))))))
(func $completed (param $record i32)
  (local $body i32)
  (if (i32.lt_u (i32.load (local.get $record)) (i32.const 11)) (then (return)))
  (call $expect (i32.load offset=8 (local.get $record)) (i32.const 0) (i32.const 100))
  (local.set $body (i32.load offset=16 (local.get $record)))
  (global.set $bodies (i32.add (global.get $bodies) (i32.const 1)))
  (if (i32.ne (global.get $bodies) (i32.const 50)) (then (return)))
  (call $blank (i32.const 5) (global.get $exchange))
  (i32.store (i32.const 0x2000) (i32.const 1))
  (i32.store (i32.const 0x202c) (i32.const 200))
  (i32.store (i32.const 0x2030) (local.get $body))
  (drop (call $submit (i32.const 0x2000) (i32.const 1)))
  (call $blank (i32.const 2) (local.get $body))
  (i32.store (i32.const 0x2000) (i32.const 2))
  (drop (call $submit (i32.const 0x2000) (i32.const 1))))
