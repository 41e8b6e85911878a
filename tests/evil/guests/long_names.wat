;; tries: make the reason of its end too long to be told
;; expect: failed 126
;; because: can't be compiled
(module (func (export "{{100000|x}}")) (func (export "{{100000|x}}")))
