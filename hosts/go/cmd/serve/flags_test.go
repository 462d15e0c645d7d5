package main

import (
	"fmt"
	"path/filepath"
	"strings"
	"testing"
)

func TestFlags(t *testing.T) {
	f, err := parseFlags(strings.Fields(
		"--host ::1 app.wasm --port 0 --isolation shared --kv A --kv B:read,list=dir/b --kv C=c=c --origin U=http://a,http://b"))
	if err != nil {
		t.Fatal(err)
	}
	want := "{app.wasm ::1 0 shared [{A [] } {B [read list] dir/b} {C [] c=c}] [{U [http://a http://b]}]}"
	if got := fmt.Sprint(*f); got != want {
		t.Errorf("%s instead of %s", got, want)
	}
}

func TestWrongFlagsAreErrors(t *testing.T) {
	for _, wrong := range []string{
		"", "one.wasm two.wasm", "app.wasm --no-such-flag", "app.wasm --port -1", "app.wasm --port 65536",
		"app.wasm --isolation none", "app.wasm --kv =path", "app.wasm --origin U", "app.wasm --help",
	} {
		if _, err := parseFlags(strings.Fields(wrong)); err == nil {
			t.Errorf("%q: no error", wrong)
		}
	}
	path := filepath.Join(t.TempDir(), "kv")
	for _, wrong := range []string{
		"app.wasm --kv A --origin A=http://a.test", "app.wasm --kv A=" + path + "/no/such/folder",
	} {
		f, err := parseFlags(strings.Fields(wrong))
		if err != nil {
			t.Fatal(err)
		}
		if _, err := f.grant(); err == nil {
			t.Errorf("%q: no error", wrong)
		}
	}
}
