package proactor

import (
	"context"
	"encoding/json"
	"errors"
)

// Store is what KV needs of a store. Its methods are called on goroutines of their own, many at once; their context ends
// when nobody wants the result any more.
//
// An error is told to the guest as Failed, or as what one of the errors below stands for.
type Store interface {
	// Get reads a value; nil if there is no such key. The host does not write into what it gets.
	Get(ctx context.Context, key string, options GetOptions) (*Value, error)
	// Put writes a value, which is the store's from then on.
	Put(ctx context.Context, key string, value []byte, options PutOptions) error
	// Delete removes a key, if it is there.
	Delete(ctx context.Context, key string) error
	// List lists keys in the order of their bytes.
	List(ctx context.Context, options ListOptions) (*Page, error)
}

// ImmediateStore is a Store whose Get, Put and Delete return at once. The host calls them in the turn in which the guest
// asks, which spares two switches between goroutines; while they run, nothing else of the instance does.
type ImmediateStore interface {
	Store
	// Immediate does nothing.
	Immediate()
}

// What a store may say. Any other error is Failed.
var (
	ErrInvalid     = errors.New("the store calls the arguments wrong")
	ErrTooBig      = errors.New("the store calls something too large")
	ErrRateLimited = errors.New("the store wants fewer calls")
	ErrQuota       = errors.New("the store's allowance is used up")
)

// GetOptions say how to read.
type GetOptions struct {
	// Seconds for which a cache may serve the value; 0 for the store's default.
	CacheTTL uint32
	// Whether the metadata is wanted too.
	Metadata bool
}

// Value is what a store has under a key.
type Value struct {
	Bytes []byte
	// JSON, or nothing.
	Metadata json.RawMessage
}

// PutOptions say how to write.
type PutOptions struct {
	// When the key ends, in seconds since 1970; 0: never.
	Expiration uint32
	// How many seconds the key lives; 0: for ever. It wins over Expiration.
	ExpirationTTL uint32
	// JSON, or nothing.
	Metadata json.RawMessage
}

// ListOptions say what to list.
type ListOptions struct {
	Prefix string
	// How many keys at most: 1 to 1,000.
	Limit int
	// The previous page's, or "".
	Cursor string
}

// Page is one page of a list.
type Page struct {
	Keys []Key
	// Where the next page begins; "" if this was the last.
	Cursor string
}

// Key is an entry of a list.
type Key struct {
	Name string
	// Seconds since 1970, or 0.
	Expiration uint32
	// JSON, or nothing.
	Metadata json.RawMessage
}

func storeStatus(err error) Status {
	switch {
	case errors.Is(err, ErrInvalid):
		return StatusInvalid
	case errors.Is(err, ErrTooBig):
		return StatusTooBig
	case errors.Is(err, ErrRateLimited):
		return StatusRateLimited
	case errors.Is(err, ErrQuota):
		return StatusQuota
	default:
		return statusOf(err)
	}
}
