package proactor

import (
	"encoding/json"
	"fmt"
	"log"
	"net/http"
)

// Kind says of what a Report tells.
type Kind string

const (
	// KindTrap: the module trapped.
	KindTrap Kind = "trap"
	// KindUnanswered: nothing was in flight any more, and there was no response.
	KindUnanswered Kind = "unanswered"
	// KindUnhandled: an operation failed that was submitted without a handler.
	KindUnhandled Kind = "unhandled"
	// KindDropped: an operation failed, and something else was taken in its place.
	KindDropped Kind = "dropped"
	// KindOpen: the guest asked for a name that was not granted.
	KindOpen Kind = "open"
	// KindUnexpected: the host's own fault, or that of a store.
	KindUnexpected Kind = "unexpected"
)

// Token names one submission.
type Token struct{ Slot, Generation uint32 }

// Place is one in the source of a guest.
type Place struct {
	File         string
	Line, Column uint32
}

// Report is something that went wrong and that no handler of the guest has dealt with.
type Report struct {
	Kind    Kind
	Message string
	// The operation whose handler was running, or that failed; "" if there is none.
	Operation string
	Token     Token
	Status    Status
	// Where in the guest's source, if it trapped by abort; otherwise nil.
	Place *Place
	// The request, as "METHOD URL".
	Request string
	Cause   error
}

// String is one line for a log.
func (r Report) String() string {
	line := fmt.Sprintf("wasm-proactor: %s: %s", r.Kind, r.Message)
	if r.Place != nil {
		line += fmt.Sprintf(" (%s:%d:%d)", r.Place.File, r.Place.Line, r.Place.Column)
	}
	if r.Operation != "" {
		role := "in the handler of"
		if r.Kind == KindUnhandled || r.Kind == KindDropped {
			role = "the operation was"
		}
		line += fmt.Sprintf(", %s %s %d:%d", role, r.Operation, r.Token.Slot, r.Token.Generation)
	}
	if r.Request != "" {
		line += ", for " + r.Request
	}
	return line
}

func logReport(report Report) { log.Print(report) }

// contextFailure is why a context was not answered by the guest: a word for programs, a sentence for people.
type contextFailure struct {
	Error  string `json:"error"`
	Detail string `json:"detail"`
}

var (
	trapped    = &contextFailure{"trap", "The module trapped while it handled this request."}
	condemned  = &contextFailure{"condemned", "The instance that served this request was replaced."}
	abandoned  = &contextFailure{"abandoned", "The client went away."}
	unexpected = &contextFailure{"unexpected", "The host failed while it handled this request."}
	shutDown   = &contextFailure{"shutdown", "The host is shutting down."}
)

func (f *contextFailure) response() *response {
	status := http.StatusInternalServerError
	if f == shutDown {
		status = http.StatusServiceUnavailable
	}
	body, _ := json.Marshal(f)
	return &response{status: status, headers: []pair{{"content-type", "application/json"}}, bytes: body}
}
