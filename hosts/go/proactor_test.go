package proactor_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	proactor "github.com/wasm-proactor/wasm-proactor/hosts/go"
)

// An upstream that answers pages at once, and what is slow when nobody waits any more.
func newUpstream(t testing.TB) *httptest.Server {
	upstream := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch {
		case r.URL.Query().Has("delay"):
			<-r.Context().Done()
		case r.URL.Path == "/file":
			io.Copy(w, io.LimitReader(zeros{}, 1_000_000))
		default:
			fmt.Fprintf(w, "page of %s", r.URL.Path)
		}
	}))
	t.Cleanup(upstream.Close)
	return upstream
}

type zeros struct{}

func (zeros) Read(bytes []byte) (int, error) {
	clear(bytes)
	return len(bytes), nil
}

func get(ctx context.Context, app http.Handler, path string) *httptest.ResponseRecorder {
	response := httptest.NewRecorder()
	request := httptest.NewRequestWithContext(ctx, http.MethodGet, "http://guest.test"+path, nil)
	defer func() {
		if cause := recover(); cause != nil && cause != http.ErrAbortHandler {
			panic(cause)
		}
	}()
	app.ServeHTTP(response, request)
	return response
}

// eventually waits for an event that nobody announces.
func eventually(t *testing.T, what string, is func() bool) {
	t.Helper()
	for range 6000 {
		if is() {
			return
		}
		time.Sleep(10 * time.Millisecond)
	}
	stacks := make([]byte, 1<<20)
	t.Fatalf("%s: never\n%s", what, stacks[:runtime.Stack(stacks, true)])
}

// unhurried is a store that the host does not know to return at once.
type unhurried struct{ proactor.Store }

// Thousands of requests overlap: some are answered, some trap, some fall silent, some are left by their clients.
func TestWhateverHappensNothingIsLeftBehind(t *testing.T) {
	for _, isolation := range isolations {
		t.Run(string(isolation), func(t *testing.T) { overlap(t, isolation) })
	}
}

func overlap(t *testing.T, isolation proactor.Isolation) {
	const clients, requestsEach = 32, 60
	before := runtime.NumGoroutine()
	upstream := newUpstream(t)
	transport := &http.Transport{}
	resources := map[string]proactor.Grant{
		"CACHE":    proactor.KV(unhurried{proactor.MemoryStore()}),
		"UPSTREAM": proactor.Origin(upstream.URL).Client(&http.Client{Transport: transport}),
	}
	app := newApp(t, "test/isolation.wasm", proactor.Options{Resources: resources, Isolation: isolation})
	answered := []string{"ok", "ok", "ok", "ok", "chain", "forward", "later", "slow"}
	failed := []string{"trap", "trap-at-once", "silent", "silent-at-once", "unreachable", "out-of-bounds"}
	left := []string{"wait", "spin", "ok", "trap", "hold"}
	var group sync.WaitGroup
	for client := range clients {
		group.Go(func() {
			random := rand.New(rand.NewPCG(1, uint64(client)))
			pick := func(hows []string) string { return hows[random.IntN(len(hows))] }
			for number := range requestsEach {
				id := fmt.Sprintf("%d-%d", client, number)
				ctx, leave := context.WithCancel(context.Background())
				switch random.IntN(8) {
				case 0:
					checkFailure(t, get(ctx, app, "/"+pick(failed)+"/"+id))
				case 1, 2:
					time.AfterFunc(time.Duration(random.IntN(3000))*time.Microsecond, leave)
					get(ctx, app, "/"+pick(left)+"/"+id)
				default:
					checkAnswer(t, isolation, pick(answered), id, func(path string) *httptest.ResponseRecorder {
						return get(ctx, app, path)
					})
				}
				leave()
			}
		})
	}
	group.Wait()
	if err := app.Close(); err != nil {
		t.Error(err)
	}
	counters := app.Counters()
	if counters.Contexts != 0 || counters.InFlight != 0 || counters.Instances != 0 {
		t.Errorf("left behind: %+v", counters)
	}
	if counters.Killed == 0 || counters.Traps == 0 || counters.Completed == 0 {
		t.Errorf("the test tests less than it says: %+v", counters)
	}
	upstream.Close()
	transport.CloseIdleConnections()
	eventually(t, "all goroutines end", func() bool { return runtime.NumGoroutine() <= before })
}

func checkAnswer(
	t *testing.T, isolation proactor.Isolation, how, id string, get func(path string) *httptest.ResponseRecorder,
) {
	path := "/" + how + "/" + id
	response := get(path)
	body := response.Body.String()
	// Where requests share an instance, the worse traps cost them all.
	if isolation == proactor.Shared && strings.Contains(body, `"condemned"`) {
		return
	}
	want := map[string]string{
		"ok":      fmt.Sprintf("%s|value of %s|page of /page/%s", id, id, id),
		"forward": "page of /page/" + id,
		"later":   "later " + id,
	}[how]
	if how == "slow" && response.Code == http.StatusGatewayTimeout {
		return
	}
	if response.Code != http.StatusOK || want != "" && body != want {
		t.Errorf("%s: %d %s", path, response.Code, body)
	}
}

func checkFailure(t *testing.T, response *httptest.ResponseRecorder) {
	if response.Code != http.StatusInternalServerError {
		t.Errorf("%d %s", response.Code, response.Body)
	}
}

// A guest that never waits gives up the instance now and then, so that a client's leaving is heard.
func TestAGuestThatNeverWaitsEndsWithItsClient(t *testing.T) {
	app := newApp(t, "test/isolation.wasm", proactor.Options{})
	ctx, leave := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() {
		get(ctx, app, "/spin/1")
		close(done)
	}()
	eventually(t, "it spins", func() bool { return app.Counters().Completed > 10_000 })
	leave()
	<-done
	if counters := app.Counters(); counters.Contexts != 0 || counters.Killed != 1 {
		t.Errorf("%+v", counters)
	}
}

// loop forever: 0x03 is loop, 0x40 without a value, 0x0c 0 back to its beginning.
var loopForever = []byte{0x03, 0x40, 0x0c, 0, 0x0b, 0x41, 0}

func TestAGuestThatLoopsForEverIsStopped(t *testing.T) {
	for _, isolation := range isolations {
		t.Run(string(isolation), func(t *testing.T) {
			var reports []proactor.Report
			app, err := proactor.New(context.Background(), moduleOf(loopForever...), proactor.Options{
				Isolation: isolation,
				Limits:    proactor.Limits{RunMs: 20},
				OnError:   func(report proactor.Report) { reports = append(reports, report) },
			})
			if err != nil {
				t.Fatal(err)
			}
			defer app.Close()
			for range 2 {
				checkFailure(t, get(context.Background(), app, "/"))
			}
			if len(reports) != 2 || reports[0].Kind != proactor.KindTrap || !strings.Contains(reports[0].Message, "too long") {
				t.Errorf("%v", reports)
			}
			if counters := app.Counters(); counters.Contexts != 0 || counters.Traps != 2 {
				t.Errorf("%+v", counters)
			}
		})
	}
}

// growOrTrap: 0x40 0 grows memory by a hundred pages; what could not grow is -1, for which there is unreachable.
var growOrTrap = []byte{0x41, 0xe4, 0, 0x40, 0, 0x41, 0x7f, 0x46, 0x04, 0x40, 0x00, 0x0b, 0x41, 0}

func TestMemoryGrowsToItsLimit(t *testing.T) {
	for limit, message := range map[int]string{1 << 20: "unreachable", 1 << 24: "none of the completions"} {
		var reports []proactor.Report
		app, err := proactor.New(context.Background(), moduleOf(growOrTrap...), proactor.Options{
			Limits:  proactor.Limits{GrowBytes: limit},
			OnError: func(report proactor.Report) { reports = append(reports, report) },
		})
		if err != nil {
			t.Fatal(err)
		}
		checkFailure(t, get(context.Background(), app, "/"))
		if len(reports) != 1 || !strings.Contains(reports[0].Message, message) {
			t.Errorf("%d bytes: %v", limit, reports)
		}
		app.Close()
	}
}

// What a store does wrong costs the operation, not the process.
func TestAStoreThatPanicsFailsItsOperation(t *testing.T) {
	t.Run("at once", func(t *testing.T) { testPanic(t, panickingAtOnce{}) })
	t.Run("later", func(t *testing.T) { testPanic(t, panicking{}) })
}

func testPanic(t *testing.T, store proactor.Store) {
	var reports []proactor.Report
	app := newApp(t, "worker.wasm", proactor.Options{
		Resources: map[string]proactor.Grant{"CACHE": proactor.KV(store)},
		OnError:   func(report proactor.Report) { reports = append(reports, report) },
	})
	reports = nil
	if response := get(context.Background(), app, "/kv/key"); response.Code < 500 {
		t.Errorf("%d %s", response.Code, response.Body)
	}
	if len(reports) != 1 || reports[0].Kind != proactor.KindUnexpected {
		t.Errorf("%v", reports)
	}
	if counters := app.Counters(); counters.Traps != 0 || counters.Contexts != 0 {
		t.Errorf("%+v", counters)
	}
}

func TestAnOwnerThatPanicsKeepsNobodyFromItsAnswer(t *testing.T) {
	app := newApp(t, "test/isolation.wasm", proactor.Options{OnError: func(proactor.Report) { panic("broken") }})
	checkFailure(t, get(context.Background(), app, "/silent/1"))
}

type panicking struct{ proactor.Store }

type panickingAtOnce struct{ panicking }

func (panickingAtOnce) Immediate() {}

func (panicking) Get(context.Context, string, proactor.GetOptions) (*proactor.Value, error) {
	panic("broken")
}

// The context of a store's work ends with its request.
func TestAClientThatLeavesEndsTheWorkOfStores(t *testing.T) {
	store := &waiting{begun: make(chan struct{}), ended: make(chan struct{})}
	app := newApp(t, "worker.wasm", proactor.Options{Resources: map[string]proactor.Grant{"CACHE": proactor.KV(store)}})
	ctx, leave := context.WithCancel(context.Background())
	go get(ctx, app, "/kv/key")
	<-store.begun
	leave()
	<-store.ended
}

type waiting struct {
	proactor.Store
	begun, ended chan struct{}
}

func (w *waiting) Get(ctx context.Context, _ string, _ proactor.GetOptions) (*proactor.Value, error) {
	close(w.begun)
	<-ctx.Done()
	close(w.ended)
	return nil, ctx.Err()
}

// A client that leaves in the middle of a body ends the upstream's work, even if nothing comes from there any more.
func TestAClientThatLeavesEndsABodyThatStalls(t *testing.T) {
	ended := make(chan struct{})
	upstream := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		io.WriteString(w, "the beginning")
		http.NewResponseController(w).Flush()
		<-r.Context().Done()
		close(ended)
	}))
	defer upstream.Close()
	app := newApp(t, "worker.wasm", proactor.Options{
		Resources: map[string]proactor.Grant{"UPSTREAM": proactor.Origin(upstream.URL)},
	})
	server := httptest.NewServer(app)
	defer server.Close()
	response, err := http.Get(server.URL + "/proxy/stalls")
	if err != nil {
		t.Fatal(err)
	}
	beginning := make([]byte, len("the beginning"))
	if _, err := io.ReadFull(response.Body, beginning); err != nil {
		t.Fatal(err)
	}
	response.Body.Close()
	<-ended
}

// A body of known length may stall too: what has come of it is not kept back.
func TestTheBeginningOfABodyIsSentAtOnce(t *testing.T) {
	upstream := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Length", "100")
		io.WriteString(w, "the beginning")
		http.NewResponseController(w).Flush()
		<-r.Context().Done()
	}))
	defer upstream.Close()
	app := newApp(t, "worker.wasm", proactor.Options{
		Resources: map[string]proactor.Grant{"UPSTREAM": proactor.Origin(upstream.URL)},
	})
	server := httptest.NewServer(app)
	defer server.Close()
	client := &http.Client{Timeout: 10 * time.Second}
	response, err := client.Get(server.URL + "/proxy/stalls")
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	beginning := make([]byte, len("the beginning"))
	if _, err := io.ReadFull(response.Body, beginning); err != nil {
		t.Fatal(err)
	}
}

// A status that no server can send on is an upstream's failure, and nobody panics.
func TestStatusesThatAreNone(t *testing.T) {
	for _, line := range []string{"101 Switching Protocols", "099 Nothing"} {
		upstream := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			connection, _, err := http.NewResponseController(w).Hijack()
			if err != nil {
				t.Error(err)
				return
			}
			defer connection.Close()
			fmt.Fprintf(connection, "HTTP/1.1 %s\r\nConnection: upgrade\r\nUpgrade: other\r\n\r\n", line)
		}))
		app := newApp(t, "worker.wasm", proactor.Options{
			Resources: map[string]proactor.Grant{"UPSTREAM": proactor.Origin(upstream.URL)},
		})
		if response := get(t.Context(), app, "/proxy/any"); response.Code != http.StatusBadGateway {
			t.Errorf("%s: %d instead of 502", line, response.Code)
		}
		upstream.Close()
	}
}

// Those who wait for their turn while the guest cancels its accept get another instance.
func TestTheEndOfAnAcceptFailsNobody(t *testing.T) {
	app := newApp(t, "conformance/hostile/cancels-the-accept.wasm", proactor.Options{Isolation: proactor.Shared})
	var group sync.WaitGroup
	for range 40 {
		group.Go(func() {
			if response := get(t.Context(), app, "/"); response.Code != http.StatusNoContent {
				t.Errorf("%d %s", response.Code, response.Body)
			}
		})
	}
	group.Wait()
	if instances := app.Counters().Instances; instances > 1 {
		t.Errorf("%d instances are left", instances)
	}
}

// Requests come while the proactor shuts down: each is answered.
func TestRequestsDuringAShutdown(t *testing.T) {
	for _, isolation := range isolations {
		t.Run(string(isolation), func(t *testing.T) {
			app := newApp(t, "worker.wasm", proactor.Options{
				Isolation: isolation,
				Resources: map[string]proactor.Grant{"CACHE": proactor.KV(proactor.MemoryStore())},
			})
			var group sync.WaitGroup
			for range 8 {
				group.Go(func() {
					for {
						response := get(context.Background(), app, "/kv/key")
						if response.Code == http.StatusServiceUnavailable {
							return
						}
						// The guest hears of the shutdown too, and says so in its own words.
						if response.Code != http.StatusNotFound && !strings.Contains(response.Body.String(), "shutting down") {
							t.Errorf("%d %s", response.Code, response.Body)
						}
					}
				})
			}
			eventually(t, "there are requests", func() bool { return app.Counters().Completed > 100 })
			if err := app.Shutdown(context.Background()); err != nil {
				t.Error(err)
			}
			group.Wait()
			if counters := app.Counters(); counters.Contexts+counters.Instances+counters.InFlight != 0 {
				t.Errorf("%+v", counters)
			}
		})
	}
}

func TestShutdownReturnsWithItsContextAndCloseEndsWhatIsLeft(t *testing.T) {
	store := &waiting{begun: make(chan struct{}), ended: make(chan struct{})}
	app := newApp(t, "worker.wasm", proactor.Options{Resources: map[string]proactor.Grant{"CACHE": proactor.KV(store)}})
	answer := make(chan *httptest.ResponseRecorder)
	go func() { answer <- get(context.Background(), app, "/kv/key") }()
	<-store.begun
	ctx, hurry := context.WithCancel(context.Background())
	hurry()
	if err := app.Shutdown(ctx); !errors.Is(err, context.Canceled) {
		t.Errorf("Shutdown: %v", err)
	}
	if response := get(context.Background(), app, "/hello"); response.Code != http.StatusServiceUnavailable {
		t.Errorf("after Shutdown: %d", response.Code)
	}
	if err := app.Close(); err != nil {
		t.Error(err)
	}
	<-store.ended
	if response := <-answer; response.Code < 500 {
		t.Errorf("%d %s", response.Code, response.Body)
	}
	if counters := app.Counters(); counters.Contexts+counters.Instances+counters.InFlight != 0 {
		t.Errorf("%+v", counters)
	}
}

func TestWrongOptionsAreErrors(t *testing.T) {
	wasm := moduleOf(0x41, 0)
	for wrong, options := range map[string]proactor.Options{
		"isolation": {Isolation: "none"},
		"a limit":   {Limits: proactor.Limits{Budget: -1}},
		"a right":   {Resources: map[string]proactor.Grant{"A": proactor.KV(proactor.MemoryStore(), "all")}},
		"no store":  {Resources: map[string]proactor.Grant{"A": proactor.KV(nil)}},
		"no grant":  {Resources: map[string]proactor.Grant{"A": nil}},
		"no origin": {Resources: map[string]proactor.Grant{"A": proactor.Origin()}},
		"a path":    {Resources: map[string]proactor.Grant{"A": proactor.Origin("https://api.test/path")}},
		"a scheme":  {Resources: map[string]proactor.Grant{"A": proactor.Origin("ftp://api.test")}},
		"no client": {Resources: map[string]proactor.Grant{"A": proactor.Origin("https://api.test").Client(nil)}},
	} {
		if _, err := proactor.New(context.Background(), wasm, options); err == nil {
			t.Errorf("%s: no error", wrong)
		}
	}
	if _, err := proactor.New(context.Background(), []byte("no module"), proactor.Options{}); err == nil {
		t.Error("no module: no error")
	}
}
