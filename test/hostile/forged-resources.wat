;; Uses numbers that it was never given, with every operation that takes one.
;; outcome: 204
(func $forge (param $resource i32)
  (call $blank (i32.const 2) (local.get $resource))
  (call $try (i32.const -3))
  (call $blank (i32.const 5) (local.get $resource))
  (i32.store (i32.const 0x202c) (i32.const 200))
  (call $try (i32.const -3))
  (call $blank (i32.const 6) (local.get $resource))
  (call $try (i32.const -3))
  (call $blank (i32.const 7) (local.get $resource))
  (call $try (i32.const -3))
  (call $blank (i32.const 8) (local.get $resource))
  (call $try (i32.const -3))
  (call $blank (i32.const 11) (local.get $resource))
  (call $try (i32.const -3)))
(func $request
  (call $forge (i32.const 0))
  (call $forge (i32.const -1))
  (call $forge (i32.const 0x7fffffff))
  (call $forge (i32.const 0x80000000))
  ;; The number that will be given out next.
  (call $forge (i32.add (global.get $exchange) (i32.const 1)))
  (call $forge (i32.add (global.get $exchange) (i32.const 1000))))
