;; Calls itself until the stack is full, before it has started.
;; outcome: refused
;; own: _initialize
(func $deeper (export "_initialize") (call $deeper) (call $deeper))
(func $request)
