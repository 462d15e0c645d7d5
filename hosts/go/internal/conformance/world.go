package conformance

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"os"
	"runtime/debug"
	"slices"
	"strings"
	"time"

	proactor "github.com/wasm-proactor/wasm-proactor/hosts/go"
)

// Driver works commands off, one after the other. Each start begins a new world, in which nothing of the last one is left.
type Driver struct{ world *world }

// Perform works a command off, and says what was to be seen meanwhile.
func (d *Driver) Perform(command Command) Reply {
	if d.world == nil || command.Do == "start" {
		d.world = newWorld()
	}
	return d.world.work(command)
}

// world is a host with all that is around it.
type world struct {
	platform *platform
	app      *proactor.Proactor
	reply    Reply
	clients  []*client
	// Calls of the host's that have not returned, and how often each name was called.
	pending map[string]*call
	named   map[string]int
	calls   int
}

func newWorld() *world {
	return &world{platform: newPlatform(), pending: map[string]*call{}, named: map[string]int{}}
}

func (w *world) work(command Command) Reply {
	w.reply = Reply{}
	if err := w.perform(command); err != nil {
		w.reply.Error = err.Error()
	}
	w.platform.settle()
	w.platform.pass(0)
	w.look()
	return w.reply
}

func (w *world) perform(command Command) error {
	switch command.Do {
	case "hello":
		w.reply.Host, w.reply.Engine = "go", engine()
	case "start":
		return w.start(command)
	case "request":
		return w.request(command)
	case "complete":
		return w.complete(command)
	case "advance":
		w.platform.pass(time.Duration(command.Ms) * time.Millisecond)
	case "abandon":
		for _, client := range w.clients {
			if client.id == command.ID {
				client.left = true
				client.leave()
			}
		}
	case "shutdown":
		w.shutdown(command.Mode)
	case "counters":
		if w.app == nil {
			return errRefused
		}
		counters := w.app.Counters()
		w.reply.Counters = &counters
	default:
		return fmt.Errorf("there is no command %q", command.Do)
	}
	return nil
}

var errRefused = errors.New("the module was refused")

func engine() string {
	if info, ok := debug.ReadBuildInfo(); ok {
		for _, module := range info.Deps {
			if strings.HasSuffix(module.Path, "/wazero") {
				return "wazero " + module.Version
			}
		}
	}
	return "wazero"
}

func (w *world) start(command Command) error {
	wasm, err := os.ReadFile(command.Module)
	if err != nil {
		return err
	}
	resources := map[string]proactor.Grant{}
	for name, granted := range command.Resources {
		if granted.KV != nil {
			resources[name] = proactor.KV(&store{w, name}, granted.KV...)
		} else {
			resources[name] = proactor.Origin(granted.Origins...).Client(&http.Client{Transport: &network{w, name}})
		}
	}
	console := console{w}
	w.app, err = proactor.New(context.Background(), wasm, proactor.Options{
		Resources: resources,
		Isolation: command.Isolation,
		Limits:    command.Limits,
		OnError:   w.report,
		Stdout:    console,
		Stderr:    console,
		Platform:  w.platform,
	})
	w.reply.Refused = err != nil
	return nil
}

// console is what the guest writes, a line in each call.
type console struct{ world *world }

func (c console) Write(line []byte) (int, error) {
	reply := &c.world.reply
	reply.Console = append(reply.Console, strings.TrimSuffix(string(line), "\n"))
	return len(line), nil
}

func (w *world) report(report proactor.Report) {
	told := map[string]any{"kind": report.Kind, "message": report.Message}
	if report.Operation != "" {
		told["operation"] = report.Operation
		told["token"] = []uint32{report.Token.Slot, report.Token.Generation}
	}
	if report.Kind == proactor.KindUnhandled || report.Kind == proactor.KindDropped {
		told["status"] = report.Status
	}
	if place := report.Place; place != nil {
		told["file"], told["line"], told["column"] = place.File, place.Line, place.Column
	}
	if report.Request != "" {
		told["request"] = report.Request
	}
	w.reply.Reports = append(w.reply.Reports, told)
}

func (w *world) request(command Command) error {
	if w.app == nil {
		return errRefused
	}
	target, err := url.Parse(command.URL)
	if err != nil {
		return err
	}
	method := command.Method
	if method == "" {
		method = http.MethodGet
	}
	headers := http.Header{}
	for _, pair := range command.Headers {
		headers.Add(pair[0], pair[1])
	}
	ctx, leave := context.WithCancel(context.Background())
	request := (&http.Request{Method: method, URL: target, Header: headers, Body: http.NoBody}).WithContext(ctx)
	client := &client{id: command.ID, leave: leave, gone: ctx.Done(), headers: http.Header{}}
	if command.Body != nil {
		client.body = w.newBody(*command.Body, "")
		request.Body, request.ContentLength = client.body, -1
	}
	w.clients = append(w.clients, client)
	w.platform.run(func() { client.visit(w.app, request) })
	return nil
}

func (w *world) complete(command Command) error {
	for _, returned := range command.Calls {
		call, ok := w.pending[returned.Call]
		if !ok {
			return fmt.Errorf("no call %q waits; there are: %s", returned.Call, strings.Join(w.waiting(), ", "))
		}
		w.settle(call, returned.With)
	}
	return nil
}

// waiting are the names of the calls that have not returned, in the order in which they were made.
func (w *world) waiting() (names []string) {
	calls := slices.SortedFunc(maps.Values(w.pending), func(a, b *call) int { return a.order - b.order })
	for _, call := range calls {
		names = append(names, call.name)
	}
	return names
}

// settle lets one call return. What follows waits until all have, but its place in the order is decided.
func (w *world) settle(c *call, result Result) {
	delete(w.pending, c.name)
	w.platform.mutex.Lock()
	defer w.platform.mutex.Unlock()
	w.platform.moving++
	c.returned <- result
	for w.platform.moving > 0 {
		w.platform.rested.Wait()
	}
}

func (w *world) shutdown(mode string) {
	w.platform.run(func() {
		if mode == "now" {
			w.app.Close()
		} else {
			w.app.Shutdown(context.Background())
		}
		w.reply.ShutDown = true
	})
}

// look notes what is to be seen from outside by now.
func (w *world) look() {
	for name, call := range w.pending {
		if call.ctx != nil && call.ctx.Err() != nil && !call.aborted {
			call.aborted = true
			w.reply.Aborted = append(w.reply.Aborted, name)
		}
	}
	for _, client := range w.clients {
		if client.isAnswered(w.platform) && !client.told && !client.left {
			client.told = true
			w.reply.Answers = append(w.reply.Answers, client.answer())
		}
	}
}

// client is who has sent a request, and the connection by which the answer comes.
type client struct {
	id      string
	leave   func()
	gone    <-chan struct{}
	left    bool
	body    *body
	headers http.Header
	status  int
	bytes   []byte
	broken  bool
	ended   bool
	told    bool
}

func (c *client) visit(app http.Handler, request *http.Request) {
	defer func() {
		if cause := recover(); cause != nil {
			if cause != http.ErrAbortHandler {
				panic(cause)
			}
			c.broken = true
		}
		c.ended = true
	}()
	app.ServeHTTP(c, request)
}

func (c *client) Header() http.Header { return c.headers }

func (c *client) WriteHeader(status int) { c.status = status }

func (c *client) Write(bytes []byte) (int, error) {
	c.bytes = append(c.bytes, bytes...)
	return len(bytes), nil
}

func (c *client) Flush() {}

func (c *client) EnableFullDuplex() error { return nil }

func (c *client) SetReadDeadline(time.Time) error { return c.body.Close() }

// isAnswered: it is if the handler has returned, or waits for no more than the end of what it has started.
func (c *client) isAnswered(p *platform) bool {
	if c.ended || c.status == 0 {
		return c.ended
	}
	for w := range p.waiting {
		if w.b == c.gone {
			return true
		}
	}
	return false
}

func (c *client) answer() Answer {
	headers := c.headers.Clone()
	headers.Del("Content-Length")
	return Answer{ID: c.id, Status: c.status, Headers: pairsOf(headers), Body: Content{bytes: c.bytes}, Broken: c.broken}
}

// pairsOf are headers as they are told: in lower case, sorted by name, joined but for set-cookie.
func pairsOf(headers http.Header) (pairs [][2]string) {
	for name, values := range headers {
		name = strings.ToLower(name)
		if name != "set-cookie" && len(values) > 0 {
			values = []string{strings.Join(values, ", ")}
		}
		for _, value := range values {
			pairs = append(pairs, [2]string{name, value})
		}
	}
	slices.SortStableFunc(pairs, func(a, b [2]string) int { return strings.Compare(a[0], b[0]) })
	return pairs
}
