;; tries: call what the machine has and WebAssembly doesn't
;; expect: failed 126
;; because: unknown import
(module (import "env" "system" (func (param i32) (result i32))) (memory (export "memory") 1) (func (export "_start")))
