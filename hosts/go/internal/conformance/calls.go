package conformance

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"

	proactor "github.com/wasm-proactor/wasm-proactor/hosts/go"
)

// call is one that the host has made, and that returns when the script says so.
type call struct {
	name     string
	order    int
	returned chan Result
	// The context of a fetch.
	ctx     context.Context
	aborted bool
}

// call tells of a call, and waits until the script lets it return.
func (w *world) call(ctx context.Context, name string, details map[string]any) (Result, string) {
	w.platform.mutex.Lock()
	w.calls++
	w.named[name]++
	if count := w.named[name]; count > 1 {
		name = fmt.Sprintf("%s #%d", name, count)
	}
	told := map[string]any{"call": name}
	for key, value := range details {
		told[key] = value
	}
	w.reply.Calls = append(w.reply.Calls, told)
	made := &call{name: name, order: w.calls, returned: make(chan Result, 1), ctx: ctx}
	w.pending[name] = made
	w.platform.rest()
	w.platform.mutex.Unlock()
	return <-made.returned, name
}

// store returns when the script says so.
type store struct {
	world *world
	name  string
}

var storeErrors = map[string]error{
	"rate-limited": proactor.ErrRateLimited,
	"quota":        proactor.ErrQuota,
	"invalid":      proactor.ErrInvalid,
	"too-big":      proactor.ErrTooBig,
	"failed":       errors.New("the store is broken"),
}

func (s *store) call(what string, details map[string]any) (Result, error) {
	result, _ := s.world.call(nil, s.name+" "+what, details)
	if result.Error != "" {
		return result, storeErrors[result.Error]
	}
	return result, nil
}

func (s *store) Get(_ context.Context, key string, options proactor.GetOptions) (*proactor.Value, error) {
	details := map[string]any{}
	if options.Metadata {
		details["metadata"] = true
	}
	put(details, "cacheTtl", options.CacheTTL)
	result, err := s.call("get "+key, details)
	if err != nil || result.Value == nil {
		return nil, err
	}
	return &proactor.Value{Bytes: result.Value.bytes, Metadata: result.Metadata}, nil
}

func (s *store) Put(_ context.Context, key string, value []byte, options proactor.PutOptions) error {
	details := map[string]any{"value": Content{bytes: value}}
	put(details, "expiration", options.Expiration)
	put(details, "expirationTtl", options.ExpirationTTL)
	if options.Metadata != nil {
		details["metadata"] = options.Metadata
	}
	_, err := s.call("put "+key, details)
	return err
}

func (s *store) Delete(_ context.Context, key string) error {
	_, err := s.call("delete "+key, nil)
	return err
}

func (s *store) List(_ context.Context, options proactor.ListOptions) (*proactor.Page, error) {
	details := map[string]any{"limit": options.Limit}
	if options.Cursor != "" {
		details["cursor"] = options.Cursor
	}
	result, err := s.call("list "+options.Prefix, details)
	if err != nil {
		return nil, err
	}
	page := &proactor.Page{Cursor: result.Cursor}
	for _, key := range result.Keys {
		page.Keys = append(page.Keys, proactor.Key{Name: key.Name, Expiration: key.Expiration, Metadata: key.Metadata})
	}
	return page, nil
}

func put(details map[string]any, name string, seconds uint32) {
	if seconds > 0 {
		details[name] = seconds
	}
}

// network is the upstream of one grant. It returns when the script says so, whether or not it is still wanted.
type network struct {
	world *world
	name  string
}

func (n *network) RoundTrip(request *http.Request) (*http.Response, error) {
	details := map[string]any{}
	if headers := pairsOf(request.Header); len(headers) > 0 {
		details["headers"] = headers
	}
	if sent, ok := read(request.Body); ok {
		details["body"] = sent
	}
	what := fmt.Sprintf("%s %s %s", n.name, request.Method, request.URL)
	result, name := n.world.call(request.Context(), what, details)
	if result.Error != "" {
		return nil, errors.New(result.Error)
	}
	response := &http.Response{StatusCode: result.Status, Header: http.Header{}, ContentLength: -1, Body: http.NoBody}
	if response.StatusCode == 0 {
		response.StatusCode = http.StatusOK
	}
	for _, pair := range result.Headers {
		response.Header.Add(pair[0], pair[1])
	}
	if result.Body != nil {
		response.Body = n.world.newBody(*result.Body, name)
	}
	return response, nil
}

func read(source io.ReadCloser) (Content, bool) {
	if source == nil {
		return Content{}, false
	}
	defer source.Close()
	bytes, err := io.ReadAll(source)
	return Content{bytes: bytes, breaks: err != nil}, len(bytes) > 0 || err != nil
}

// body is a body of the script's: it ends, breaks off, or stalls until it is closed.
type body struct {
	world   *world
	content Content
	// The fetch that it came with; "" for a request's.
	call          string
	ended, closed bool
	stalled       chan struct{}
}

func (w *world) newBody(content Content, call string) *body {
	return &body{world: w, content: content, call: call}
}

func (b *body) Read(bytes []byte) (int, error) {
	p := b.world.platform
	p.mutex.Lock()
	defer p.mutex.Unlock()
	for {
		switch {
		case b.closed:
			return 0, errors.New("the body was closed")
		case len(b.content.bytes) > 0:
			n := copy(bytes, b.content.bytes)
			b.content.bytes = b.content.bytes[n:]
			return n, nil
		case b.content.breaks:
			b.ended = true
			return 0, errors.New("the transfer broke off")
		case !b.content.stalls:
			b.ended = true
			return 0, io.EOF
		}
		stalled := make(chan struct{})
		b.stalled = stalled
		p.rest()
		p.mutex.Unlock()
		<-stalled
		p.mutex.Lock()
	}
}

func (b *body) Close() error {
	p := b.world.platform
	p.mutex.Lock()
	defer p.mutex.Unlock()
	if b.closed {
		return nil
	}
	b.closed = true
	if b.call != "" && !b.ended {
		b.world.reply.Closed = append(b.world.reply.Closed, b.call)
	}
	if b.stalled != nil {
		p.moving++
		close(b.stalled)
	}
	return nil
}
