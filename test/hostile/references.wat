;; Declares the imports with references, and gives functions and nothing where there should be numbers.
;; outcome: 204
(import "proactor_v1" "submit" (func $submitReferences (param funcref externref) (result i32)))
(import "proactor_v1" "poll" (func $pollReferences (param externref funcref externref funcref) (result i32)))
(import "proactor_v1" "open" (func $openReferences (param funcref externref) (result i32)))
(elem declare func $request)
(func $request
  (call $expect (call $submitReferences (ref.func $request) (ref.null extern)) (i32.const 0) (i32.const 100))
  (call $expect
    (call $pollReferences (ref.null extern) (ref.func $request) (ref.null extern) (ref.func $request))
    (i32.const 0)
    (i32.const 101))
  ;; A name of no bytes.
  (call $expect (call $openReferences (ref.func $request) (ref.null extern)) (i32.const -7) (i32.const 102))
  (call $respond (i32.const 204)))
