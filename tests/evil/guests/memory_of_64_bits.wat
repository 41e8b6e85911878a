;; tries: have a memory that no machine has
;; expect: out of memory or failed 126
(module (memory (export "memory") i64 0x100000000) (func (export "_start")))
