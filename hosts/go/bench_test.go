package proactor_test

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"testing"

	proactor "github.com/wasm-proactor/wasm-proactor/hosts/go"
)

// What this host costs in the process, without a network:
//
//	go test -run - -bench . -benchmem
//
// Beside a plain handler and behind a server it is measured by `npm run bench:hosts`, as all hosts are.

// BenchmarkHandler is what a request costs in the host and its guest.
func BenchmarkHandler(b *testing.B) {
	store := proactor.MemoryStore()
	if err := store.Put(context.Background(), "key", []byte("value"), proactor.PutOptions{}); err != nil {
		b.Fatal(err)
	}
	for _, path := range []string{"/hello", "/kv/key"} {
		for _, isolation := range isolations {
			b.Run(string(isolation)+path, func(b *testing.B) {
				options := proactor.Options{
					Isolation: isolation,
					Resources: map[string]proactor.Grant{"CACHE": proactor.KV(store)},
				}
				app := newApp(b, "worker.wasm", options)
				request := httptest.NewRequest(http.MethodGet, "http://guest.test"+path, nil)
				b.ReportAllocs()
				before := cpuTime()
				for b.Loop() {
					app.ServeHTTP(discarded{http.Header{}}, request)
				}
				b.ReportMetric(float64((cpuTime()-before).Nanoseconds())/float64(b.N), "cpu-ns/op")
			})
		}
	}
}

type discarded struct{ header http.Header }

func (d discarded) Header() http.Header             { return d.header }
func (d discarded) WriteHeader(int)                 {}
func (d discarded) Write(bytes []byte) (int, error) { return len(bytes), nil }

// BenchmarkCompletion has a guest submit noops again and again, so many at once: the cost of each is that of crossing
// the border twice and of its dispatch.
func BenchmarkCompletion(b *testing.B) {
	const completions = 100_000
	for _, depth := range []int{1, 16, 256} {
		b.Run(fmt.Sprint(depth), func(b *testing.B) {
			app := newApp(b, "bench/noop.wasm", proactor.Options{})
			request := httptest.NewRequest(http.MethodGet, fmt.Sprintf("http://guest.test/pummel?count=%d&size=%d", completions, depth), nil)
			b.ReportAllocs()
			before := cpuTime()
			for b.Loop() {
				response := httptest.NewRecorder()
				app.ServeHTTP(response, request)
				if response.Code != http.StatusOK {
					b.Fatal(response.Body)
				}
			}
			b.ReportMetric(float64((cpuTime()-before).Nanoseconds())/float64(b.N)/completions, "cpu-ns/completion")
		})
	}
}

// BenchmarkStart compiles the module and starts its first instance.
func BenchmarkStart(b *testing.B) {
	wasm := readModule(b, "worker.wasm")
	for b.Loop() {
		app, err := proactor.New(context.Background(), wasm, proactor.Options{OnError: func(proactor.Report) {}})
		if err != nil {
			b.Fatal(err)
		}
		app.Close()
	}
}

var isolations = []proactor.Isolation{proactor.Request, proactor.Pooled, proactor.Shared}

func readModule(t testing.TB, name string) []byte {
	t.Helper()
	wasm, err := os.ReadFile("../../build/" + name)
	if err != nil {
		t.Fatalf("%v\nRun `npm run build` in the repository first: it makes the guests that are served here.", err)
	}
	return wasm
}

func newApp(t testing.TB, module string, options proactor.Options) *proactor.Proactor {
	t.Helper()
	if options.OnError == nil {
		options.OnError = func(proactor.Report) {}
	}
	app, err := proactor.New(context.Background(), readModule(t, module), options)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { app.Close() })
	return app
}
