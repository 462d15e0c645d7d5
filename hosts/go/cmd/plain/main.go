// Plain serves three of the Worker's routes as Go itself writes them, without any WebAssembly, to compare with:
//
//	plain http://127.0.0.1:9000
package main

import (
	"encoding/json"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"os"
	"strconv"
	"sync"
	"time"
)

type part struct {
	Start  int64 `json:"start"`
	End    int64 `json:"end"`
	Status int   `json:"status"`
}

func main() {
	upstream := os.Args[1]
	// As many idle connections as the host keeps, or each request would make its own.
	client := &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 1024}}
	var store sync.Map

	http.HandleFunc("GET /hello", func(w http.ResponseWriter, _ *http.Request) { text(w, []byte("hello")) })
	http.HandleFunc("PUT /kv/{key...}", func(w http.ResponseWriter, r *http.Request) {
		value, err := io.ReadAll(r.Body)
		if err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
			return
		}
		store.Store(r.PathValue("key"), value)
		w.WriteHeader(http.StatusNoContent)
	})
	http.HandleFunc("GET /kv/{key...}", func(w http.ResponseWriter, r *http.Request) {
		value, found := store.Load(r.PathValue("key"))
		if !found {
			http.NotFound(w, r)
			return
		}
		text(w, value.([]byte))
	})
	http.HandleFunc("GET /aggregate", func(w http.ResponseWriter, r *http.Request) {
		count, _ := strconv.Atoi(r.FormValue("n"))
		started := time.Now()
		parts := make([]part, count)
		var all sync.WaitGroup
		for index := range parts {
			all.Go(func() {
				parts[index].Start = time.Since(started).Milliseconds()
				url := fmt.Sprintf("%s/part/%d?delay=%s", upstream, index, r.FormValue("delay"))
				if response, err := client.Get(url); err == nil {
					_, _ = io.Copy(io.Discard, response.Body)
					response.Body.Close()
					parts[index].Status = response.StatusCode
				}
				parts[index].End = time.Since(started).Milliseconds()
			})
		}
		all.Wait()
		w.Header().Set("content-type", "application/json; charset=utf-8")
		_ = json.NewEncoder(w).Encode(map[string]any{"took": time.Since(started).Milliseconds(), "fetches": parts})
	})

	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		log.Fatal(err)
	}
	fmt.Printf("listening on http://%s\n", listener.Addr())
	log.Fatal(http.Serve(listener, nil))
}

func text(w http.ResponseWriter, body []byte) {
	w.Header().Set("content-type", "text/plain; charset=utf-8")
	_, _ = w.Write(body)
}
