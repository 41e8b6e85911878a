;; tries: call what only the runtimes of the sandbox may
;; expect: failed 126
;; because: unknown import
(module (import "syftbox" "python_start" (func (param i32 i32) (result i32))) (memory (export "memory") 1) (func (export "_start")))
