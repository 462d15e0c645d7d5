package proactor

import (
	"fmt"
	"math"
	"reflect"
)

// Limits bound everything that a guest could otherwise make grow. A field that is 0 has its default, which
// docs/contract.md lists.
type Limits struct {
	// Operations in flight in one instance; more are refused. At most 1,048,576.
	InFlight int `json:"inFlight,omitempty"`
	// Completions that one run dispatches at most.
	Budget int `json:"budget,omitempty"`
	// Runs in one turn before others are let go first.
	Runs int `json:"runs,omitempty"`
	// Bytes of arguments that the host holds for one instance's operations.
	ArgumentBytes int `json:"argumentBytes,omitempty"`
	// Resources that one instance's guest holds at once: what it opened, exchanges, and bodies left on the host.
	Resources int `json:"resources,omitempty"`
	// Bytes of a body or value that is brought into the guest.
	BodyBytes int `json:"bodyBytes,omitempty"`
	// Calls of one request that wait for an answer at once.
	Connections int `json:"connections,omitempty"`
	// Milliseconds that an operation waits for another request.
	WaitMs int `json:"waitMs,omitempty"`
	// Milliseconds that one run lasts at most; a longer one is a trap. Not bounded by default, for that has its price, which
	// the README tells: the module is compiled so that each round of a loop looks whether it should end.
	RunMs int `json:"runMs,omitempty"`
	// Redirects that a fetch follows.
	Redirects int `json:"redirects,omitempty"`
	// Traps after which a shared instance is replaced, though each was contained.
	Traps int `json:"traps,omitempty"`
	// Bytes of linear memory of all idle instances together that are kept for reuse.
	IdleBytes int `json:"idleBytes,omitempty"`
	// Bytes of linear memory above which an instance is replaced once it is idle: memory never shrinks.
	MemoryBytes int `json:"memoryBytes,omitempty"`
	// Bytes beyond which the memory of an instance does not grow; a guest that needs more to begin with is refused.
	GrowBytes int `json:"growBytes,omitempty"`
}

// DefaultLimits returns the limits of a host whose owner sets none.
func DefaultLimits() Limits {
	return Limits{
		InFlight:      65_536,
		Budget:        256,
		Runs:          64,
		ArgumentBytes: 64 << 20,
		Resources:     65_536,
		BodyBytes:     kvValueBytesMax,
		Connections:   6,
		WaitMs:        30_000,
		Redirects:     20,
		Traps:         100,
		IdleBytes:     64 << 20,
		MemoryBytes:   16 << 20,
		GrowBytes:     1 << 30,
	}
}

// completed fills in the defaults.
func (l Limits) completed() (Limits, error) {
	all := DefaultLimits()
	given, result := reflect.ValueOf(l), reflect.ValueOf(&all).Elem()
	for field := range given.NumField() {
		value, name := given.Field(field).Int(), given.Type().Field(field).Name
		most := int64(math.MaxInt32)
		if name == "InFlight" {
			most = slotCountMax
		}
		if value < 0 || value > most {
			return all, fmt.Errorf("Limits.%s: %d is no number from 1 to %d", name, value, most)
		}
		if value > 0 {
			result.Field(field).SetInt(value)
		}
	}
	return all, nil
}
