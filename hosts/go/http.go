package proactor

import (
	"io"
	"net/http"
	"net/url"
	"strconv"
	"sync"
)

// ServeHTTP answers one request by the guest. What goes wrong is a response with status 500, and a report. A request whose
// context ends before it is answered is over.
func (p *Proactor) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	hasBody := r.Body != nil && r.Body != http.NoBody
	var control *http.ResponseController
	if hasBody {
		// A guest may answer with the request's own body, or answer first and read later.
		control = http.NewResponseController(w)
		control.EnableFullDuplex()
	}
	c, answer := p.receive(r, control)
	if c != nil && answer == nil {
		p.platform.Wait(c.answered, r.Context().Done())
		c.abandon()
		answer = c.response()
	}
	answer.send(w, r, hasBody)
	// net/http takes the request's body away when this returns.
	if hasBody && c != nil && c.over != nil {
		p.platform.Wait(c.over, r.Context().Done())
	}
}

// receive gives the request to an instance, on whose guest's first turn it may be answered already.
func (p *Proactor) receive(r *http.Request, control *http.ResponseController) (*requestContext, *response) {
	for {
		if p.mode() != running {
			return nil, shutDown.response()
		}
		i, err := p.checkOut()
		if err != nil {
			p.onError(Report{Kind: KindUnexpected, Message: err.Error(), Cause: err})
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
	if !p.enter(c) {
		c.instance.retire()
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
	status  int
	headers http.Header
	bytes   []byte
	stream  *payloadBody
}

// lengthUnset is up to how many bytes net/http finds out the length by itself.
const lengthUnset = 2048

func (a *response) send(w http.ResponseWriter, r *http.Request, flush bool) {
	headers := w.Header()
	for name, values := range a.headers {
		if !isHopByHop(name) {
			headers[name] = values
		}
	}
	if _, ok := headers["Content-Type"]; !ok {
		headers["Content-Type"] = nil // Otherwise net/http guesses.
	}
	if a.stream != nil {
		a.sendStream(w, r)
		return
	}
	if flush || len(a.bytes) > lengthUnset {
		headers["Content-Length"] = []string{strconv.Itoa(len(a.bytes))}
	} else {
		delete(headers, "Content-Length")
	}
	if isBodyless(a.status) {
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
	for {
		n, err := a.stream.Read(buffer[:])
		if n > 0 {
			if _, err := w.Write(buffer[:n]); err != nil {
				return // The client is gone.
			}
			if a.stream.length < 0 {
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

// isHopByHop tells of headers that say something about one connection.
func isHopByHop(name string) bool {
	switch name {
	case "Connection", "Keep-Alive", "Proxy-Connection", "Te", "Trailer", "Transfer-Encoding", "Upgrade":
		return true
	}
	return false
}

// Requests of the guest's.

type readCloser = io.ReadCloser

func closing(reader io.Reader) readCloser { return io.NopCloser(reader) }

// sendOnce has a client send a request, and follow nothing. What belongs to the connection is the client's business.
func sendOnce(client *http.Client, request *http.Request) (*http.Response, error) {
	once := *client
	hop := &oneHop{transport: client.Transport}
	if hop.transport == nil {
		hop.transport = http.DefaultTransport
	}
	once.Transport = hop
	for name := range request.Header {
		if isHopByHop(name) || name == "Host" || name == "Content-Length" {
			request.Header = request.Header.Clone()
			delete(request.Header, name)
		}
	}
	response, err := once.Do(request)
	if err != nil {
		// Whoever asked knows method and URL.
		if wrapped, ok := err.(*url.Error); ok {
			err = wrapped.Err
		}
		return nil, err
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
