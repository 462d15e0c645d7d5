;; Opens names that are too long, or empty, or nothing but zeros.
;; outcome: 204
(func $request
  (call $expect (call $open (i32.const 0) (i32.const 257)) (i32.const -10) (i32.const 100))
  (call $expect (call $open (i32.const 0) (i32.const 0x20000)) (i32.const -10) (i32.const 101))
  (call $expect (call $open (i32.const 0x10000) (i32.const 256)) (i32.const -7) (i32.const 102))
  (call $expect (call $open (i32.const 0) (i32.const 0)) (i32.const -7) (i32.const 103))
  (call $respond (i32.const 204)))
