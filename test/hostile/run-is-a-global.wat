;; Exports numbers by the names of functions.
;; outcome: refused
;; own: _initialize run completed
(global (export "run") i32 (i32.const 0))
(global (export "_initialize") i32 (i32.const 0))
