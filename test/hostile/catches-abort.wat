;; Catches the exception by which abort ends the call, and goes on.
;; outcome: 204
(func $request
  (try
    (do (call $abort (i32.const 0) (i32.const 0) (i32.const 0) (i32.const 0) (i32.const 1) (i32.const 2)))
    (catch_all (call $respond (i32.const 204)))))
