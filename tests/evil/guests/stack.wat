;; tries: call itself without end
;; expect: failed 134
;; because: crashed
(module (func $f (export "_start") (call $f)))
