package proactor_test

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"testing"

	proactor "github.com/wasm-proactor/wasm-proactor/hosts/go"
)

// Each is measured beside a plain handler that does the same, where that makes sense:
//
//	go test -run - -bench . -benchmem

func BenchmarkHello(b *testing.B) {
	plain := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/plain; charset=utf-8")
		io.WriteString(w, "hello\n")
	})
	b.Run("plain", func(b *testing.B) { benchmarkServer(b, plain, "/hello") })
	for _, isolation := range isolations {
		b.Run(string(isolation), func(b *testing.B) {
			benchmarkServer(b, newApp(b, "worker.wasm", proactor.Options{Isolation: isolation}), "/hello")
		})
	}
}

func BenchmarkKvRead(b *testing.B) {
	store := proactor.MemoryStore()
	ctx := context.Background()
	if err := store.Put(ctx, "key", []byte("value"), proactor.PutOptions{}); err != nil {
		b.Fatal(err)
	}
	plain := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		value, err := store.Get(r.Context(), strings.TrimPrefix(r.URL.Path, "/kv/"), proactor.GetOptions{})
		if err != nil || value == nil {
			http.NotFound(w, r)
			return
		}
		w.Header().Set("Content-Type", "application/octet-stream")
		w.Write(value.Bytes)
	})
	b.Run("plain", func(b *testing.B) { benchmarkServer(b, plain, "/kv/key") })
	for _, isolation := range isolations {
		b.Run(string(isolation), func(b *testing.B) {
			options := proactor.Options{
				Isolation: isolation,
				Resources: map[string]proactor.Grant{"CACHE": proactor.KV(store)},
			}
			benchmarkServer(b, newApp(b, "worker.wasm", options), "/kv/key")
		})
	}
}

// BenchmarkHandler leaves the network away: what a request costs in the host and its guest.
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
			request := httptest.NewRequest(http.MethodGet, fmt.Sprintf("http://guest.test/?count=%d&batch=%d", completions, depth), nil)
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

func benchmarkServer(b *testing.B, handler http.Handler, path string) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		b.Fatal(err)
	}
	server := &http.Server{Handler: handler}
	go server.Serve(listener)
	b.Cleanup(func() { server.Close() })
	url := "http://" + listener.Addr().String() + path
	client := &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 64}}
	b.ReportAllocs()
	b.ResetTimer()
	before := cpuTime()
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			response, err := client.Get(url)
			if err != nil {
				b.Fatal(err)
			}
			io.Copy(io.Discard, response.Body)
			response.Body.Close()
			if response.StatusCode != http.StatusOK {
				b.Fatal(response.Status)
			}
		}
	})
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "requests/s")
	b.ReportMetric(float64((cpuTime()-before).Nanoseconds())/float64(b.N), "cpu-ns/op")
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
