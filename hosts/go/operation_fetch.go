package proactor

import (
	"bytes"
	"context"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"
)

// Fetch: sends an HTTP request to a granted origin and completes with the response.

var fetchProcessor = &processor{
	name:  "fetch",
	flags: flagFetchBody,

	decode: func(s *submission, c *ioContext) (work, error) {
		grant, err := resourceOf[*OriginGrant](c, s.resource, "origin")
		if err != nil {
			return nil, err
		}
		if s.argument1 > redirectError {
			return nil, failed(StatusInvalid, "fetch: %d is no redirect mode", s.argument1)
		}
		f := &fetch{grant: grant, mode: s.argument1, wantsBody: s.flags&flagFetchBody != 0}
		if !f.wantsBody {
			if err := c.checkResources(); err != nil {
				return nil, err
			}
		}
		f.bytesMax = c.bodyBytesMax(s.argument0)
		if err := f.decodeRequest(s, c); err != nil {
			return nil, err
		}
		return f.begin, nil
	},
}

// fetch is one fetch on its way through its redirects.
type fetch struct {
	operation *operation
	grant     *OriginGrant
	mode      uint32
	wantsBody bool
	bytesMax  int
	hops      int

	// What the next hop sends.
	url     *url.URL
	method  string
	headers http.Header
	data    []byte
	stream  *payloadBody
}

func (f *fetch) decodeRequest(s *submission, c *ioContext) error {
	pairs, err := s.metaPairs()
	if err != nil {
		return err
	}
	if len(pairs) == 0 {
		return failed(StatusInvalid, "fetch: the head is missing")
	}
	from, err := c.sourceOf(s, s.argument2)
	if err != nil {
		return err
	}
	if f.url, err = f.grant.resolve(pairs[0].value, f.grant.base, StatusInvalid); err != nil {
		return err
	}
	if f.method, err = checkMethod(pairs[0].name, from != nil || s.dataBytes > 0); err != nil {
		return err
	}
	headers, err := checkHeaders(pairs[1:])
	if err != nil {
		return err
	}
	f.headers = make(http.Header, len(headers))
	addHeaders(f.headers, headers)
	// Last: what is refused has taken nothing.
	if from == nil {
		f.data = s.data()
		return nil
	}
	content, err := from.take()
	f.stream = &content
	return err
}

// resolve gives the URL, if it may be fetched: a path at the base, or an absolute URL at any granted origin. What else it
// is the guest or the upstream has got wrong, hence otherwise.
func (g *OriginGrant) resolve(text string, base *url.URL, otherwise Status) (*url.URL, error) {
	target, err := parseURL(text, base)
	if err != nil {
		return nil, failed(otherwise, "fetch: %q is no URL", text)
	}
	if target.User != nil {
		return nil, failed(otherwise, "fetch: a URL must not contain credentials")
	}
	if !g.allows(target) {
		return nil, failed(StatusNotPermitted, "fetch: %s is not among the granted origins", originOf(target))
	}
	return target, nil
}

// checkMethod accepts an HTTP token, and none of the methods that the fetch standard forbids, at all or with a body.
func checkMethod(method string, hasBody bool) (string, error) {
	upper := strings.ToUpper(method)
	if !isToken(method) || slices.Contains([]string{"CONNECT", "TRACE", "TRACK"}, upper) {
		return "", failed(StatusInvalid, "fetch: %q is no method for a request", method)
	}
	if hasBody && (upper == "GET" || upper == "HEAD") {
		return "", failed(StatusInvalid, "fetch: a %s has no body", method)
	}
	// As the fetch standard has it: these six however they are written, any other as it is.
	if slices.Contains([]string{"GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS"}, upper) {
		return upper, nil
	}
	return method, nil
}

func (f *fetch) begin(o *operation) {
	f.operation = o
	f.hop()
}

// hop sends one request, on one of the context's connections, and goes on with its response in a turn.
func (f *fetch) hop() {
	o := f.operation
	if f.stream != nil {
		o.reading = f.stream
	}
	connections := o.context.allConnections()
	connections.take(o, func() {
		var response *http.Response
		var err error
		o.perform(func(ctx context.Context) { response, err = f.send(ctx) }, func() {
			connections.handOn()
			o.reading = nil
			if err != nil {
				f.letGo()
				o.fail(failed(StatusNetwork, "fetch: %v", err))
				return
			}
			f.follow(response)
		})
	})
}

func (f *fetch) send(ctx context.Context) (*http.Response, error) {
	request := (&http.Request{Method: f.method, URL: f.url, Header: f.headers, Host: f.url.Host}).WithContext(ctx)
	switch {
	case f.stream != nil:
		request.Body, request.ContentLength = f.stream.ReadCloser, f.stream.length
	case len(f.data) > 0:
		request.ContentLength = int64(len(f.data))
		request.GetBody = func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(f.data)), nil }
		request.Body, _ = request.GetBody() // It cannot fail.
	}
	return sendOnce(f.grant.client, request)
}

// follow goes where a response leads, which is nowhere if it is the result. Each hop must be granted.
func (f *fetch) follow(response *http.Response) {
	o := f.operation
	location, leads := response.Header["Location"]
	// A fetch that ignored its abort may still answer, but nobody waits for where it leads.
	isResult := o.settled || f.mode == redirectManual || !isRedirect(response.StatusCode) || !leads
	if isResult {
		f.complete(response)
		return
	}
	o.context.instance.closeLater(response.Body)
	if err := f.redirect(response.StatusCode, latin1ToUTF8(location[0])); err != nil {
		f.letGo()
		o.fail(err)
		return
	}
	f.hops++
	f.hop()
}

func (f *fetch) complete(response *http.Response) {
	o := f.operation
	head := headerPairs(response.Header)
	result := outcome{auxiliary: uint32(response.StatusCode)}
	received := &body{response: response, release: o.cancel}
	switch {
	case o.settled:
		o.succeed(outcome{body: received})
	case f.wantsBody:
		content, _ := received.take()
		o.read(content, f.bytesMax, result, head)
	default:
		result.payload, result.body = encodePairs(head, nil), received
		o.succeed(result)
	}
}

// redirect makes the request that a redirect asks for, as the fetch standard says.
func (f *fetch) redirect(status int, location string) error {
	if f.mode == redirectError {
		return failed(StatusRedirect, "fetch: the response is a redirect")
	}
	if f.hops == f.operation.proactor().limits.Redirects {
		return failed(StatusRedirect, "fetch: too many redirects")
	}
	target, err := f.grant.resolve(location, f.url, StatusRedirect)
	if err != nil {
		return err
	}
	f.headers = f.headers.Clone()
	// What was meant for one origin stays there.
	if originOf(target) != originOf(f.url) {
		remove(f.headers, "Authorization", "Cookie", "Proxy-Authorization")
	}
	f.url = target
	becomesGet := status == http.StatusSeeOther && f.method != http.MethodHead ||
		status < http.StatusSeeOther && f.method == http.MethodPost
	switch {
	case becomesGet:
		f.letGo()
		f.method, f.data, f.stream = http.MethodGet, nil, nil
		remove(f.headers, "Content-Encoding", "Content-Language", "Content-Length", "Content-Location", "Content-Type")
	case f.stream != nil:
		return failed(StatusRedirect, "fetch: a streamed body cannot be sent again")
	}
	return nil
}

// letGo: a streamed body that is not sent any more holds its connection open.
func (f *fetch) letGo() {
	if f.stream != nil {
		f.operation.context.instance.closeLater(f.stream)
	}
}

func remove(headers http.Header, names ...string) {
	for _, name := range names {
		headers.Del(name)
	}
}

func isRedirect(status int) bool {
	switch status {
	case 301, 302, 303, 307, 308:
		return true
	}
	return false
}
