;; Puts records at odd addresses.
;; outcome: 204
(func $request
  (call $expect (call $submit (i32.const 0x2001) (i32.const 1)) (i32.const -2) (i32.const 100))
  (call $expect (call $submit (i32.const 0x2002) (i32.const 1)) (i32.const -2) (i32.const 101))
  (call $expect (call $submit (i32.const 0x2003) (i32.const 0)) (i32.const -2) (i32.const 102))
  (call $expect (call $poll (i32.const 1) (i32.const 1) (i32.const 0x8000) (i32.const 64)) (i32.const -2) (i32.const 103))
  ;; Payloads are aligned by the host; an arena may lie anywhere.
  (call $expect (call $poll (i32.const 0) (i32.const 1) (i32.const 0x8003) (i32.const 61)) (i32.const 0) (i32.const 104))
  (call $respond (i32.const 204)))
