;; Gives lengths which, added to their pointers in 32 bits, come out inside memory.
;; outcome: 204
(func $wrap (param $field i32) (param $at i32) (param $bytes i32)
  (call $blank (i32.const 0) (i32.const 0))
  (i32.store offset=0x2000 (local.get $field) (local.get $at))
  (i32.store offset=0x2004 (local.get $field) (local.get $bytes))
  (call $try (i32.const -2)))
(func $all (param $field i32)
  (call $wrap (local.get $field) (i32.const 0x100) (i32.const 0xffffffff))
  (call $wrap (local.get $field) (i32.const 0xffffff00) (i32.const 0x200))
  (call $wrap (local.get $field) (i32.const 0x80000000) (i32.const 0x80000000))
  (call $wrap (local.get $field) (i32.const 0) (i32.const 0xffffffff)))
(func $request
  ;; 0x4000000 records are 2^32 bytes.
  (call $expect (call $submit (i32.const 0x2000) (i32.const 0x4000000)) (i32.const -10) (i32.const 100))
  (call $expect (call $submit (i32.const 0xffffffc0) (i32.const 2)) (i32.const -2) (i32.const 101))
  (call $expect (call $open (i32.const 0xffffffff) (i32.const 2)) (i32.const -2) (i32.const 102))
  (call $expect (call $poll (i32.const 0) (i32.const 1) (i32.const 0xfffffff0) (i32.const 0x20)) (i32.const -2) (i32.const 103))
  (call $all (i32.const 20))
  (call $all (i32.const 28))
  (call $all (i32.const 36)))
