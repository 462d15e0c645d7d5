// Package conformance is the driver of this host: a world around it in which nothing happens but what a script says.
// conformance/README.md in the repository explains the protocol.
package conformance

import (
	"encoding/json"
	"unicode/utf8"

	proactor "github.com/wasm-proactor/wasm-proactor/hosts/go"
)

// Command is what the runner tells the driver; Do says which of the fields count.
type Command struct {
	Do string `json:"do"`

	Module    string             `json:"module"`
	Isolation proactor.Isolation `json:"isolation"`
	Limits    proactor.Limits    `json:"limits"`
	Resources map[string]Granted `json:"resources"`

	ID      string      `json:"id"`
	Method  string      `json:"method"`
	URL     string      `json:"url"`
	Headers [][2]string `json:"headers"`
	Body    *Content    `json:"body"`

	Calls []Returned `json:"calls"`

	Ms   int64  `json:"ms"`
	Mode string `json:"mode"`
}

// Granted is a resource of the guest's.
type Granted struct {
	KV      []proactor.Right `json:"kv"`
	Origins []string         `json:"origins"`
}

// Returned is a call of the host's that is to return.
type Returned struct {
	Call string `json:"call"`
	With Result `json:"with"`
}

// Result is how a call of the host's returns.
type Result struct {
	Error    string          `json:"error"`
	Value    *Content        `json:"value"`
	Metadata json.RawMessage `json:"metadata"`
	Keys     []struct {
		Name       string          `json:"name"`
		Expiration uint32          `json:"expiration"`
		Metadata   json.RawMessage `json:"metadata"`
	} `json:"keys"`
	Cursor  string      `json:"cursor"`
	Status  int         `json:"status"`
	Headers [][2]string `json:"headers"`
	Body    *Content    `json:"body"`
}

// Reply is what was to be seen while a command was worked off.
type Reply struct {
	Host     string             `json:"host,omitempty"`
	Engine   string             `json:"engine,omitempty"`
	Refused  bool               `json:"refused,omitempty"`
	Error    string             `json:"error,omitempty"`
	Console  []string           `json:"console,omitempty"`
	Calls    []map[string]any   `json:"calls,omitempty"`
	Aborted  []string           `json:"aborted,omitempty"`
	Closed   []string           `json:"closed,omitempty"`
	Answers  []Answer           `json:"answers,omitempty"`
	Reports  []map[string]any   `json:"reports,omitempty"`
	Counters *proactor.Counters `json:"counters,omitempty"`
	ShutDown bool               `json:"shutDown,omitempty"`
}

// Answer is what a client got.
type Answer struct {
	ID      string      `json:"id"`
	Status  int         `json:"status"`
	Headers [][2]string `json:"headers,omitempty"`
	Body    Content     `json:"body"`
	Broken  bool        `json:"broken,omitempty"`
}

// Content is a body or a value: a text, or other bytes. It may break off or stall behind them.
type Content struct {
	bytes          []byte
	breaks, stalls bool
}

// UnmarshalJSON reads "text", {"base64":…}, {"breaks":…} or {"stalls":…}.
func (c *Content) UnmarshalJSON(source []byte) error {
	var text string
	if err := json.Unmarshal(source, &text); err == nil {
		c.bytes = []byte(text)
		return nil
	}
	var other struct {
		Base64         []byte
		Breaks, Stalls *string
	}
	if err := json.Unmarshal(source, &other); err != nil {
		return err
	}
	switch {
	case other.Breaks != nil:
		c.bytes, c.breaks = []byte(*other.Breaks), true
	case other.Stalls != nil:
		c.bytes, c.stalls = []byte(*other.Stalls), true
	default:
		c.bytes = other.Base64
	}
	return nil
}

// MarshalJSON writes the same.
func (c Content) MarshalJSON() ([]byte, error) {
	switch {
	case c.breaks:
		return json.Marshal(map[string]string{"breaks": string(c.bytes)})
	case utf8.Valid(c.bytes):
		return json.Marshal(string(c.bytes))
	default:
		return json.Marshal(map[string][]byte{"base64": c.bytes})
	}
}
