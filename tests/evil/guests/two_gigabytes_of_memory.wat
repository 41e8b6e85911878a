;; tries: have more memory at birth than it may
;; expect: out of memory
;; limit: memory 1G
(module (memory (export "memory") 32768) (data (i32.const 2147483000) "x") (func (export "_start")))
