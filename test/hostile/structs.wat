;; Gives the host an object of its own, of which no number can be made, as an address.
;; outcome: 500 trap
(import "proactor_v1" "submit" (func $submitStruct (param anyref i32) (result i32)))
(type $thing (struct (field i32)))
(func $request
  (drop (call $submitStruct (struct.new $thing (i32.const 1)) (i32.const 1))))
