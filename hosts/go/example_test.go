package proactor_test

import (
	"context"
	"fmt"
	"log"
	"net/http"
	"net/http/httptest"
	"os"
	"time"

	proactor "github.com/wasm-proactor/wasm-proactor/hosts/go"
	"github.com/wasm-proactor/wasm-proactor/hosts/go/boltkv"
)

// A module behind net/http. What the guest may reach is granted by name, and nothing else is there for it.
func Example() {
	wasm, err := os.ReadFile("../../build/worker.wasm")
	if err != nil {
		log.Fatal(err)
	}
	app, err := proactor.New(context.Background(), wasm, proactor.Options{
		Resources: map[string]proactor.Grant{
			"CACHE":    proactor.KV(proactor.MemoryStore(), proactor.Read, proactor.Write),
			"UPSTREAM": proactor.Origin("https://api.example.com"),
		},
	})
	if err != nil {
		log.Fatal(err)
	}
	defer app.Close()

	mux := http.NewServeMux()
	mux.Handle("/", app)
	response := httptest.NewRecorder()
	mux.ServeHTTP(response, httptest.NewRequest(http.MethodGet, "/hello", nil))
	fmt.Println(response.Code, response.Body)
	// Output: 200 hello
}

// Every option, away from its default.
func Example_options() {
	dir, err := os.MkdirTemp("", "kv")
	if err != nil {
		log.Fatal(err)
	}
	defer os.RemoveAll(dir)
	store, err := boltkv.Open(dir + "/cache.db")
	if err != nil {
		log.Fatal(err)
	}
	defer store.Close()
	wasm, err := os.ReadFile("../../build/worker.wasm")
	if err != nil {
		log.Fatal(err)
	}
	client := &http.Client{Timeout: 10 * time.Second}
	app, err := proactor.New(context.Background(), wasm, proactor.Options{
		Resources: map[string]proactor.Grant{
			"CACHE":    proactor.KV(store),
			"UPSTREAM": proactor.Origin("https://a.example.com", "https://b.example.com").Client(client),
		},
		Isolation: proactor.Shared,
		Limits:    proactor.Limits{InFlight: 1000, BodyBytes: 1 << 20, RunMs: 1000},
		OnError:   func(report proactor.Report) { log.Print(report) },
		Stdout:    os.Stderr,
	})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Printf("%+v\n", app.Counters())
	if err := app.Shutdown(context.Background()); err != nil {
		log.Fatal(err)
	}
	// Output: {Contexts:0 InFlight:1 Completed:0 Refused:0 Late:0 Reclaimed:0 Traps:0 Killed:0 Instances:1 Instantiated:1}
}
