;; Throws an exception of its own out of run.
;; outcome: 500 trap
(tag $own (param i32))
(func $request (throw $own (i32.const 7)))
