module github.com/wasm-proactor/wasm-proactor/hosts/go

go 1.25.0

require (
	github.com/tetratelabs/wazero v1.12.0
	go.etcd.io/bbolt v1.5.0
)

require golang.org/x/sys v0.45.0 // indirect
