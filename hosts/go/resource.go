package proactor

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

// resource is a capability of the guest. It reaches nothing that is not one of these.
//
// Grants belong to the instance and are opened by name. Exchanges and bodies belong to one context, in whose own table
// alone they are found, so another context's number is BadResource by construction.
type resource interface{ isResource() }

// Grant is what a guest may open by a name: KV or Origin.
type Grant interface {
	resource
	// check finds what is wrong with the grant itself.
	check() error
}

// Right is what a guest may do with a KV namespace.
type Right string

// The rights of a KV namespace.
const (
	Read  Right = "read"
	Write Right = "write"
	List  Right = "list"
)

type kvGrant struct {
	store  Store
	rights []Right
}

// KV grants a KV namespace. Without rights the guest may read, write and list; an empty list of rights, which is not the
// same as none, grants nothing.
func KV(store Store, rights ...Right) Grant {
	if rights == nil {
		rights = []Right{Read, Write, List}
	}
	return &kvGrant{store, rights}
}

func (*kvGrant) isResource() {}

func (g *kvGrant) check() error {
	if g.store == nil {
		return errors.New("KV needs a store")
	}
	for _, right := range g.rights {
		if right != Read && right != Write && right != List {
			return fmt.Errorf("%q is none of read, write, list", right)
		}
	}
	return nil
}

// OriginGrant grants HTTP origins.
type OriginGrant struct {
	origins []string
	base    *url.URL
	client  *http.Client
	err     error
}

// Origin grants HTTP origins such as https://api.example.com, redirects among them included. The first one resolves
// relative URLs.
func Origin(origins ...string) *OriginGrant {
	grant := &OriginGrant{client: defaultClient()}
	if len(origins) == 0 {
		grant.err = errors.New("give at least one origin, such as https://api.example.com")
	}
	for _, text := range origins {
		origin := strings.TrimSuffix(text, "/")
		parsed, err := url.Parse(origin)
		if err != nil || originOf(parsed) != origin || parsed.Scheme != "http" && parsed.Scheme != "https" {
			grant.err = fmt.Errorf("%q is no origin; write it as https://api.example.com, without a path", text)
			return grant
		}
		grant.origins = append(grant.origins, origin)
		if grant.base == nil {
			grant.base = parsed
		}
	}
	return grant
}

// idleConnections are kept to each origin: net/http's own 2 are few for a server that fetches the same all the time.
const idleConnections = 64

var defaultClient = sync.OnceValue(func() *http.Client {
	transport := http.DefaultTransport.(*http.Transport).Clone()
	transport.MaxIdleConnsPerHost = idleConnections
	return &http.Client{Transport: transport}
})

// Client has the requests sent by a client of the owner's. Its CheckRedirect is not asked: each hop must be granted, so
// the host follows redirects itself.
func (g *OriginGrant) Client(client *http.Client) *OriginGrant {
	g.client = client
	return g
}

func (*OriginGrant) isResource() {}

func (g *OriginGrant) check() error {
	if g.err == nil && g.client == nil {
		return errors.New("the client of Origin is nil")
	}
	return g.err
}

func (g *OriginGrant) allows(target *url.URL) bool {
	return slices.Contains(g.origins, originOf(target))
}

// source is what has a body to read or send, once.
type source interface {
	resource
	// take gives the body to the caller, who closes it.
	take() (payloadBody, error)
}

// payloadBody is a body on the host, with its length or -1.
type payloadBody struct {
	io.ReadCloser
	length int64
}

var errTaken = failed(StatusClosed, "this body was read or sent before")

// exchange is one incoming request and its one response.
type exchange struct {
	request  *http.Request
	control  *http.ResponseController
	taken    bool
	response *response
}

func (*exchange) isResource() {}

func (e *exchange) take() (payloadBody, error) {
	if e.taken {
		return payloadBody{}, errTaken
	}
	e.taken = true
	if e.request.Body == nil || e.request.Body == http.NoBody {
		return payloadBody{http.NoBody, 0}, nil
	}
	return payloadBody{&requestBody{ReadCloser: e.request.Body, control: e.control}, e.request.ContentLength}, nil
}

// requestBody can be closed while it is being read: net/http's own would wait for the client then. What has come to its
// end is left alone, for the connection lives on.
type requestBody struct {
	io.ReadCloser
	control *http.ResponseController
	ended   atomic.Bool
}

func (b *requestBody) Read(bytes []byte) (int, error) {
	n, err := b.ReadCloser.Read(bytes)
	if err != nil {
		b.ended.Store(true)
	}
	return n, err
}

func (b *requestBody) Close() error {
	if b.ended.Load() {
		return nil
	}
	return b.control.SetReadDeadline(time.Unix(1, 0))
}

// body is a fetched response whose content stays on the host.
type body struct {
	response *http.Response
	// release ends the transfer's context.
	release context.CancelFunc
	taken   bool
}

func (*body) isResource() {}

func (b *body) take() (payloadBody, error) {
	if b.taken {
		return payloadBody{}, errTaken
	}
	b.taken = true
	return payloadBody{&responseBody{b.response.Body, b.release}, b.response.ContentLength}, nil
}

// responseBody ends its transfer when it is closed.
type responseBody struct {
	io.ReadCloser
	release context.CancelFunc
}

func (b *responseBody) Close() error {
	defer b.release()
	return b.ReadCloser.Close()
}

// readBody reads a body to its end, and closes it.
func readBody(body payloadBody, bytesMax int) ([]byte, error) {
	defer body.Close()
	if body.length > int64(bytesMax) {
		return nil, failed(StatusTooBig, "the body has more than %d bytes", bytesMax)
	}
	bytes, err := readAll(io.LimitReader(body, int64(bytesMax)+1), body.length)
	if err != nil {
		return nil, failed(StatusAborted, "the body broke off: %v", err)
	}
	if len(bytes) > bytesMax {
		return nil, failed(StatusTooBig, "the body has more than %d bytes", bytesMax)
	}
	return bytes, nil
}

// readAll is io.ReadAll for what may be known to be so long.
func readAll(reader io.Reader, length int64) ([]byte, error) {
	bytes := make([]byte, 0, max(512, min(length, 1<<20)+1))
	for {
		n, err := reader.Read(bytes[len(bytes):cap(bytes)])
		bytes = bytes[:len(bytes)+n]
		if err == io.EOF {
			return bytes, nil
		}
		if err != nil {
			return bytes, err
		}
		if len(bytes) == cap(bytes) {
			bytes = append(bytes, 0)[:len(bytes)]
		}
	}
}
