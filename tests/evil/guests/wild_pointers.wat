;; tries: have the host read and write outside of the guest's memory
;; expect: failed 126
;; because: out of bounds
(module
  (import "wasi_snapshot_preview1" "fd_write" (func $write (param i32 i32 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "fd_read" (func $read (param i32 i32 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "random_get" (func $random (param i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "environ_get" (func $environ (param i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "path_open" (func $open (param i32 i32 i32 i32 i32 i64 i64 i32 i32) (result i32)))
  (memory (export "memory") 1)
  (data (i32.const 0) "\f0\ff\ff\ff\00\00\01\00\00\00\01\00\10\00\00\00")
  (func $refused (param i32) (if (i32.eqz (local.get 0)) (then unreachable)))
  (func (export "_start")
    (call $refused (call $write (i32.const 1) (i32.const 0) (i32.const 2) (i32.const 64)))
    (call $refused (call $write (i32.const 1) (i32.const -8) (i32.const 2) (i32.const 64)))
    (call $refused (call $write (i32.const 1) (i32.const 0) (i32.const -1) (i32.const 64)))
    (call $refused (call $read (i32.const 3) (i32.const 0) (i32.const 2) (i32.const 64)))
    (call $refused (call $random (i32.const 65530) (i32.const 100)))
    (call $refused (call $environ (i32.const -4) (i32.const -4)))
    (call $refused (call $open (i32.const 3) (i32.const 1) (i32.const -4) (i32.const 100) (i32.const 0)
      (i64.const 2) (i64.const 2) (i32.const 0) (i32.const 64)))))
