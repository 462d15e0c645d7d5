;; Points with every pointer at places outside memory. Each is a Fault of its own.
;; outcome: 204
(func $point (param $field i32) (param $at i32) (param $bytes i32) (param $expected i32)
  (call $blank (i32.const 0) (i32.const 0))
  (i32.store offset=0x2000 (local.get $field) (local.get $at))
  (i32.store offset=0x2004 (local.get $field) (local.get $bytes))
  (call $try (local.get $expected)))
(func $all (param $field i32)
  (call $point (local.get $field) (i32.const -1) (i32.const 1) (i32.const -2))
  (call $point (local.get $field) (i32.const 0x20000) (i32.const 1) (i32.const -2))
  (call $point (local.get $field) (i32.const 0x1ffff) (i32.const 2) (i32.const -2))
  (call $point (local.get $field) (i32.const 0x80000000) (i32.const 16) (i32.const -2))
  ;; Empty ranges point nowhere, so anywhere will do.
  (call $point (local.get $field) (i32.const -1) (i32.const 0) (i32.const 0))
  (call $point (local.get $field) (i32.const 0x1ffff) (i32.const 1) (i32.const 0)))
(func $request
  (call $all (i32.const 20))
  (call $all (i32.const 28))
  (call $all (i32.const 36)))
