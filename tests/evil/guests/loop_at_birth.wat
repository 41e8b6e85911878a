;; tries: compute forever before it is even started
;; expect: timed out
;; limit: time 1
(module (func $f (loop $l (br $l))) (start $f) (func (export "_start")))
