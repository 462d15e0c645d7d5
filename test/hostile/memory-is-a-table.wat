;; Exports a table by the name of its memory.
;; outcome: refused
;; own: memory
(table (export "memory") 1 funcref)
(memory 2)
(func $request)
