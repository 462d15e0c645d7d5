// Plain answers three of the Worker's routes as a handler of net/http does, without any WebAssembly: what the host is
// compared with. Its argument is the upstream's URL.
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

func main() {
	if len(os.Args) != 2 {
		fmt.Fprintln(os.Stderr, "give the upstream, as in: plain http://127.0.0.1:9000")
		os.Exit(2)
	}
	transport := http.DefaultTransport.(*http.Transport).Clone()
	transport.MaxIdleConnsPerHost = 64
	p := &plain{upstream: os.Args[1], client: &http.Client{Transport: transport}, values: map[string][]byte{}}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /hello", p.hello)
	mux.HandleFunc("GET /kv/{key...}", p.read)
	mux.HandleFunc("PUT /kv/{key...}", p.write)
	mux.HandleFunc("GET /aggregate", p.aggregate)
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		log.Fatal(err)
	}
	fmt.Printf("listening on http://%s\n", listener.Addr())
	log.Fatal(http.Serve(listener, mux))
}

type plain struct {
	upstream string
	client   *http.Client
	mutex    sync.RWMutex
	values   map[string][]byte
}

func (p *plain) hello(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	io.WriteString(w, "hello")
}

func (p *plain) read(w http.ResponseWriter, r *http.Request) {
	p.mutex.RLock()
	value, ok := p.values[r.PathValue("key")]
	p.mutex.RUnlock()
	if !ok {
		http.NotFound(w, r)
		return
	}
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	w.Write(value)
}

func (p *plain) write(w http.ResponseWriter, r *http.Request) {
	value, err := io.ReadAll(r.Body)
	if err != nil {
		return
	}
	p.mutex.Lock()
	p.values[r.PathValue("key")] = value
	p.mutex.Unlock()
	w.WriteHeader(http.StatusNoContent)
}

type part struct {
	Start  int64 `json:"start"`
	End    int64 `json:"end"`
	Status int   `json:"status"`
}

func (p *plain) aggregate(w http.ResponseWriter, r *http.Request) {
	began := time.Now()
	count, err := strconv.Atoi(r.URL.Query().Get("n"))
	if err != nil {
		count = 5
	}
	parts := make([]part, count)
	var group sync.WaitGroup
	for index := range parts {
		group.Go(func() {
			start := time.Since(began).Milliseconds()
			status := p.fetch(r, fmt.Sprintf("/part/%d?delay=%s", index, r.URL.Query().Get("delay")))
			parts[index] = part{start, time.Since(began).Milliseconds(), status}
		})
	}
	group.Wait()
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	json.NewEncoder(w).Encode(map[string]any{"took": time.Since(began).Milliseconds(), "fetches": parts})
}

func (p *plain) fetch(r *http.Request, path string) int {
	request, err := http.NewRequestWithContext(r.Context(), http.MethodGet, p.upstream+path, nil)
	if err != nil {
		return 0
	}
	response, err := p.client.Do(request)
	if err != nil {
		return 0
	}
	defer response.Body.Close()
	io.Copy(io.Discard, response.Body)
	return response.StatusCode
}
