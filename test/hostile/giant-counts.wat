;; Claims four billion of everything.
;; outcome: 204
(func $request
  (call $expect (call $submit (i32.const 0x2000) (i32.const -1)) (i32.const -10) (i32.const 100))
  (call $expect (call $submit (i32.const 0x2000) (i32.const 4097)) (i32.const -10) (i32.const 101))
  (call $expect (call $submit (i32.const 0x2000) (i32.const 0x80000000)) (i32.const -10) (i32.const 102))
  (call $expect (call $open (i32.const 0) (i32.const -1)) (i32.const -10) (i32.const 103))
  (call $expect (call $poll (i32.const 0) (i32.const -1) (i32.const 0) (i32.const -1)) (i32.const -2) (i32.const 104))
  ;; Room for four billion records is fine, as long as those to be written lie inside.
  (call $expect (call $poll (i32.const 0) (i32.const -1) (i32.const 0x8000) (i32.const 64)) (i32.const 0) (i32.const 105))
  ;; A list that says to have four billion pairs.
  (call $blank (i32.const 5) (global.get $exchange))
  (i32.store (i32.const 0x3000) (i32.const -1))
  (i32.store (i32.const 0x202c) (i32.const 200))
  (i32.store (i32.const 0x2024) (i32.const 0x3000))
  (i32.store (i32.const 0x2028) (i32.const 64))
  (call $try (i32.const -10))
  ;; A list whose one pair says to be four billion bytes long.
  (i32.store (i32.const 0x3000) (i32.const 1))
  (i32.store (i32.const 0x3004) (i32.const -1))
  (i32.store (i32.const 0x3008) (i32.const -1))
  (call $try (i32.const -1))
  ;; The longest timer and deadline that there are not.
  (call $blank (i32.const 3) (i32.const 0))
  (i32.store (i32.const 0x202c) (i32.const -1))
  (call $try (i32.const -1))
  (call $blank (i32.const 0) (i32.const 0))
  (i32.store (i32.const 0x2010) (i32.const -1))
  (call $try (i32.const -1))
  ;; A list of four billion keys.
  (call $blank (i32.const 11) (call $store))
  (i32.store (i32.const 0x202c) (i32.const -1))
  (call $try (i32.const -1)))
