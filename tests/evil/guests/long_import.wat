;; tries: make the reason of its end too long to be told, another way
;; expect: failed 126
(module (import "{{90000|x}}" "{{90000|x}}" (func)) (func (export "_start")))
