package proactor

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"sync"
	"time"
)

// ServeHTTP answers one request by the guest. What goes wrong is a response with status 500, and a report. A request whose
// context ends before it is answered is over.
func (p *Proactor) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	var control *http.ResponseController
	if r.Body != nil && r.Body != http.NoBody {
		control = http.NewResponseController(w)
	}
	c, answer := p.receive(r, control)
	if answer == nil {
		p.platform.Wait(c.answered, r.Context().Done())
		c.abandon()
		answer = c.response()
	}
	if control == nil || c == nil || !c.mayRead(answer) {
		answer.send(w, r, false)
		return
	}
	// A guest may answer with the request's own body, or answer first and read later. net/http takes the body away when
	// this returns, and unless it is told otherwise when the answer begins.
	control.EnableFullDuplex()
	answer.send(w, r, true)
	if c.over != nil {
		p.platform.Wait(c.over, r.Context().Done())
	}
	discard(r.Body, control)
}

// mayRead tells whether the request's body may still be read while the answer is sent, or later.
func (c *requestContext) mayRead(answer *response) bool {
	if answer.stream != nil {
		if _, ok := answer.stream.ReadCloser.(*requestBody); ok {
			return true
		}
	}
	if c.over == nil {
		return false
	}
	select {
	case <-c.over:
		return false
	default:
		return true
	}
}

// discardMax is how much of an unread body is read in order to keep the connection.
const discardMax = 256 << 10

// discard reads what is left of a body. In full duplex net/http must not come to its end by itself: it would begin to
// watch the connection while it waits for the next request there, and fail.
func discard(body io.Reader, control *http.ResponseController) {
	if _, err := io.CopyN(io.Discard, body, discardMax); err == nil {
		control.SetReadDeadline(time.Unix(1, 0))
	}
}

// receive gives the request to an instance, on whose guest's first turn it may be answered already.
func (p *Proactor) receive(r *http.Request, control *http.ResponseController) (*requestContext, *response) {
	for {
		if p.mode() != running {
			return nil, shutDown.response()
		}
		i, err := p.checkOut()
		if err != nil && p.mode() != running {
			continue // A shutdown came in between.
		}
		if err != nil {
			p.tell(Report{Kind: KindUnexpected, Message: err.Error(), Cause: err})
			return nil, unexpected.response()
		}
		c := newRequestContext(i, r)
		c.exchange.control = control
		if answer, ok := p.begin(c); ok {
			return c, answer
		}
	}
}

// begin runs the first turn. False if the instance is not to be had any more.
func (p *Proactor) begin(c *requestContext) (*response, bool) {
	c.instance.mutex.Lock()
	defer c.instance.unlock()
	if c.instance.retired {
		return nil, false
	}
	if c.instance.acceptHasEnded() {
		// While this request waited for its turn. Another instance takes its place.
		c.instance.weigh()
		p.giveBack(c.instance)
		return nil, false
	}
	if !p.enter(c) {
		p.giveBack(c.instance)
		return nil, false
	}
	c.begin()
	if c.exchange.control != nil && !c.ended {
		c.over = make(chan struct{})
	}
	if c.isAnswered() {
		return c.response(), true
	}
	c.answered = make(chan struct{})
	return nil, true
}

// response is an answer on its way to the client: bytes of the guest's, or a body that stays on the host.
type response struct {
	status int
	// Those of a response that is forwarded, and those of the guest.
	upstream http.Header
	headers  []pair
	bytes    []byte
	stream   *payloadBody
}

// lengthUnset is up to how many bytes net/http finds out the length by itself.
const lengthUnset = 2048

func (a *response) send(w http.ResponseWriter, r *http.Request, flush bool) {
	headers := w.Header()
	for name, values := range a.upstream {
		headers[name] = values
	}
	addHeaders(headers, a.headers)
	removeHopByHop(headers)
	if _, ok := headers["Content-Type"]; !ok {
		headers["Content-Type"] = nil // Otherwise net/http guesses.
	}
	if a.stream != nil {
		a.sendStream(w, r)
		return
	}
	switch {
	case r.Method == http.MethodHead && len(a.bytes) == 0:
		// The guest may know how long a body would be.
	case !isBodyless(a.status) && (flush || len(a.bytes) > lengthUnset):
		headers["Content-Length"] = []string{strconv.Itoa(len(a.bytes))}
	default:
		delete(headers, "Content-Length")
	}
	w.WriteHeader(a.status)
	if len(a.bytes) > 0 {
		w.Write(a.bytes)
	}
	if flush {
		http.NewResponseController(w).Flush()
	}
}

var buffers = sync.Pool{New: func() any { return new([32 << 10]byte) }}

// sendStream copies a body as it comes. One that breaks off breaks the connection, or the client would take it for whole.
func (a *response) sendStream(w http.ResponseWriter, r *http.Request) {
	defer a.stream.Close()
	// An upstream that gives no more must not keep a client that is gone.
	stop := context.AfterFunc(r.Context(), func() { a.stream.Close() })
	defer stop()
	if length := a.stream.length; length >= 0 && !isBodyless(a.status) {
		w.Header()["Content-Length"] = []string{strconv.FormatInt(length, 10)}
	}
	w.WriteHeader(a.status)
	if r.Method == http.MethodHead || isBodyless(a.status) {
		return
	}
	control := http.NewResponseController(w)
	buffer := buffers.Get().(*[32 << 10]byte)
	defer buffers.Put(buffer)
	left := a.stream.length
	for {
		n, err := a.stream.Read(buffer[:])
		if n > 0 {
			if _, err := w.Write(buffer[:n]); err != nil {
				return // The client is gone.
			}
			if left -= int64(n); left != 0 {
				// More may take its time. The last bytes leave with the end.
				control.Flush()
			}
		}
		if err == io.EOF {
			return
		}
		if err != nil {
			panic(http.ErrAbortHandler)
		}
	}
}

// removeHopByHop removes headers that say something about one connection.
func removeHopByHop(headers http.Header) {
	for _, name := range []string{
		"Connection", "Keep-Alive", "Proxy-Connection", "Te", "Trailer", "Transfer-Encoding", "Upgrade",
	} {
		delete(headers, name)
	}
}

// Requests of the guest's.

// sendOnce has a client send a request, and follow nothing. What belongs to the connection is the client's business.
func sendOnce(client *http.Client, request *http.Request) (*http.Response, error) {
	once := *client
	hop := &oneHop{transport: client.Transport}
	if hop.transport == nil {
		hop.transport = http.DefaultTransport
	}
	once.Transport = hop
	removeHopByHop(request.Header)
	remove(request.Header, "Host", "Content-Length")
	response, err := once.Do(request)
	if err != nil {
		// Whoever asked knows method and URL.
		if wrapped, ok := err.(*url.Error); ok {
			err = wrapped.Err
		}
		return nil, err
	}
	if response.StatusCode < http.StatusOK {
		// A switch of protocols, or a number that is none: no answer that anybody could be given.
		response.Body.Close()
		return nil, fmt.Errorf("%d is no status of an answer", response.StatusCode)
	}
	if hop.location != nil {
		response.Header["Location"] = hop.location
	}
	return response, nil
}

// oneHop hides where a response leads from a client that would go there.
type oneHop struct {
	transport http.RoundTripper
	location  []string
}

func (h *oneHop) RoundTrip(request *http.Request) (*http.Response, error) {
	response, err := h.transport.RoundTrip(request)
	if err == nil && isRedirect(response.StatusCode) {
		h.location = response.Header["Location"]
		delete(response.Header, "Location")
	}
	return response, err
}
