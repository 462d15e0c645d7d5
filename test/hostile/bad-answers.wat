;; Answers with statuses that there are not, headers that break the protocol, and bodies where there can be none.
;; outcome: 204
(data (i32.const 0x3000) "\01\00\00\00\04\00\00\00\06\00\00\00x: yv\0d\0a w:")
(data (i32.const 0x3100) "\01\00\00\00\01\00\00\00\08\00\00\00av\0d\0ab: c\00")
(func $answer (param $status i32) (param $meta i32) (param $bytes i32) (param $body i32)
  (call $blank (i32.const 5) (global.get $exchange))
  (i32.store (i32.const 0x202c) (local.get $status))
  (i32.store (i32.const 0x2024) (local.get $meta))
  (i32.store (i32.const 0x2028) (local.get $bytes))
  (i32.store (i32.const 0x2020) (local.get $body))
  (call $try (i32.const -1)))
(func $request
  (call $answer (i32.const 0) (i32.const 0) (i32.const 0) (i32.const 0))
  (call $answer (i32.const 100) (i32.const 0) (i32.const 0) (i32.const 0))
  (call $answer (i32.const 199) (i32.const 0) (i32.const 0) (i32.const 0))
  (call $answer (i32.const 600) (i32.const 0) (i32.const 0) (i32.const 0))
  (call $answer (i32.const -1) (i32.const 0) (i32.const 0) (i32.const 0))
  (call $answer (i32.const 204) (i32.const 0) (i32.const 0) (i32.const 5))
  (call $answer (i32.const 304) (i32.const 0) (i32.const 0) (i32.const 5))
  ;; A name with a colon, a value with a line break.
  (call $answer (i32.const 200) (i32.const 0x3000) (i32.const 22) (i32.const 0))
  (call $answer (i32.const 200) (i32.const 0x3100) (i32.const 21) (i32.const 0))
  ;; A list that ends in the middle.
  (call $answer (i32.const 200) (i32.const 0x3000) (i32.const 21) (i32.const 0))
  (call $answer (i32.const 200) (i32.const 0x3000) (i32.const 3) (i32.const 0)))
