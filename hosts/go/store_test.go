package proactor_test

import (
	"context"
	"fmt"
	"path/filepath"
	"slices"
	"testing"
	"time"

	proactor "github.com/wasm-proactor/wasm-proactor/hosts/go"
	"github.com/wasm-proactor/wasm-proactor/hosts/go/boltkv"
)

// What every store does alike.
func TestStores(t *testing.T) {
	t.Run("memory", func(t *testing.T) { testStore(t, proactor.MemoryStore()) })
	t.Run("bolt", func(t *testing.T) { testStore(t, openBolt(t, filepath.Join(t.TempDir(), "kv"))) })
}

func openBolt(t *testing.T, path string) *boltkv.Store {
	store, err := boltkv.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { store.Close() })
	return store
}

func testStore(t *testing.T, store proactor.Store) {
	ctx := context.Background()
	put := func(key, value string, options proactor.PutOptions) {
		t.Helper()
		if err := store.Put(ctx, key, []byte(value), options); err != nil {
			t.Fatal(err)
		}
	}
	get := func(key string) string {
		t.Helper()
		value, err := store.Get(ctx, key, proactor.GetOptions{Metadata: true})
		if err != nil {
			t.Fatal(err)
		}
		if value == nil {
			return "nothing"
		}
		return string(value.Bytes) + string(value.Metadata)
	}
	expect := func(what, got, want string) {
		t.Helper()
		if got != want {
			t.Errorf("%s: %q instead of %q", what, got, want)
		}
	}
	now := uint32(time.Now().Unix())
	expect("what was never put", get("a"), "nothing")
	put("a", "1", proactor.PutOptions{Metadata: []byte(`{"n":1}`)})
	expect("what was put", get("a"), `1{"n":1}`)
	put("a", "", proactor.PutOptions{})
	expect("what was put over it", get("a"), "")
	put("ended", "1", proactor.PutOptions{Expiration: now - 1})
	expect("what has ended", get("ended"), "nothing")
	put("lives", "1", proactor.PutOptions{ExpirationTTL: 60, Expiration: 1})
	expect("what has not", get("lives"), "1")
	if err := store.Delete(ctx, "a"); err != nil {
		t.Error(err)
	}
	expect("what was deleted", get("a"), "nothing")
	if err := store.Delete(ctx, "a"); err != nil {
		t.Error("deleting what is not there:", err)
	}

	keys := []string{"l/\U0001f642", "l/\uffee", "l/a", "l/b", "l/c"}
	for _, key := range keys {
		put(key, "", proactor.PutOptions{})
	}
	put("l/ended", "", proactor.PutOptions{Expiration: 1})
	put("m", "", proactor.PutOptions{})
	slices.Sort(keys)
	for _, limit := range []int{1, 2, 5, 1000} {
		expect(fmt.Sprint("pages of ", limit), fmt.Sprint(listAll(t, store, "l/", limit)), fmt.Sprint(keys))
	}
	page, err := store.List(ctx, proactor.ListOptions{Prefix: "lives", Limit: 1})
	if err != nil || len(page.Keys) != 1 || page.Keys[0].Expiration < now+59 || page.Cursor != "" {
		t.Errorf("%+v %v", page, err)
	}
}

func listAll(t *testing.T, store proactor.Store, prefix string, limit int) (names []string) {
	options := proactor.ListOptions{Prefix: prefix, Limit: limit}
	for {
		page, err := store.List(context.Background(), options)
		if err != nil {
			t.Fatal(err)
		}
		if len(page.Keys) > limit {
			t.Errorf("%d keys on a page of %d", len(page.Keys), limit)
		}
		for _, key := range page.Keys {
			names = append(names, key.Name)
		}
		if options.Cursor = page.Cursor; page.Cursor == "" {
			return names
		}
	}
}

func TestBoltKeepsItsKeys(t *testing.T) {
	ctx, path := context.Background(), filepath.Join(t.TempDir(), "kv")
	first, err := boltkv.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := first.Put(ctx, "a", []byte("1"), proactor.PutOptions{}); err != nil {
		t.Fatal(err)
	}
	if err := first.Close(); err != nil {
		t.Fatal(err)
	}
	value, err := openBolt(t, path).Get(ctx, "a", proactor.GetOptions{})
	if err != nil || value == nil || string(value.Bytes) != "1" {
		t.Errorf("%v %v", value, err)
	}
}
