package proactor

import (
	"bytes"
	"context"
	"encoding/json"
	"slices"
	"strconv"
)

// KV: reads, writes, removes and lists the keys of a granted namespace.

var kvGetProcessor = &processor{
	name:  "kv.get",
	flags: flagKvMetadata,

	decode: func(s *submission, c *ioContext) (work, error) {
		store, key, err := storeAndKeyOf(s, c, Read)
		if err != nil {
			return nil, err
		}
		if err := checkSeconds("cacheTtl", s.argument0, kvCacheTTLSecondsMin); err != nil {
			return nil, err
		}
		options := GetOptions{CacheTTL: s.argument0, Metadata: s.flags&flagKvMetadata != 0}
		bytesMax := c.instance.proactor.limits.BodyBytes
		return func(o *operation) {
			use(o, store, func(ctx context.Context) (outcome, error) {
				value, err := store.Get(ctx, key, options)
				if err != nil {
					return outcome{}, err
				}
				return found(value, options.Metadata, bytesMax)
			})
		}, nil
	},
}

// found is metadata, then value.
func found(value *Value, wantsMetadata bool, bytesMax int) (outcome, error) {
	if value == nil {
		return outcome{}, failed(StatusNotFound, "kv: there is no such key")
	}
	if len(value.Bytes) > bytesMax {
		return outcome{}, failed(StatusTooBig, "kv: the value has more than %d bytes", bytesMax)
	}
	if !wantsMetadata || isNothing(value.Metadata) {
		return outcome{payload: value.Bytes}, nil
	}
	return outcome{payload: slices.Concat(value.Metadata, value.Bytes), auxiliary: uint32(len(value.Metadata))}, nil
}

var kvPutProcessor = &processor{
	name: "kv.put",

	decode: func(s *submission, c *ioContext) (work, error) {
		store, key, err := storeAndKeyOf(s, c, Write)
		if err != nil {
			return nil, err
		}
		if err := checkBytes("a value", s.dataBytes, kvValueBytesMax); err != nil {
			return nil, err
		}
		soonest := c.instance.proactor.platform.Now().Unix() + kvTTLSecondsMin
		if err := checkSeconds("expiration", s.argument0, soonest); err != nil {
			return nil, err
		}
		if err := checkSeconds("expirationTtl", s.argument1, kvTTLSecondsMin); err != nil {
			return nil, err
		}
		metadata, err := metadataOf(s)
		if err != nil {
			return nil, err
		}
		value := s.data()
		options := PutOptions{Expiration: s.argument0, ExpirationTTL: s.argument1, Metadata: metadata}
		return func(o *operation) {
			use(o, store, func(ctx context.Context) (outcome, error) {
				return outcome{}, store.Put(ctx, key, value, options)
			})
		}, nil
	},
}

var kvDeleteProcessor = &processor{
	name: "kv.delete",

	decode: func(s *submission, c *ioContext) (work, error) {
		store, key, err := storeAndKeyOf(s, c, Write)
		if err != nil {
			return nil, err
		}
		return func(o *operation) {
			use(o, store, func(ctx context.Context) (outcome, error) { return outcome{}, store.Delete(ctx, key) })
		}, nil
	},
}

var kvListProcessor = &processor{
	name: "kv.list",

	decode: func(s *submission, c *ioContext) (work, error) {
		store, err := storeOf(s, c, List)
		if err != nil {
			return nil, err
		}
		if s.argument0 > kvListCountMax {
			return nil, failed(StatusInvalid, "kv: a list has at most %d keys", kvListCountMax)
		}
		if err := checkBytes("a prefix", s.nameBytes, kvKeyBytesMax); err != nil {
			return nil, err
		}
		options := ListOptions{Limit: int(s.argument0)}
		if options.Limit == 0 {
			options.Limit = kvListCountMax
		}
		if options.Prefix, err = s.name(); err != nil {
			return nil, err
		}
		if options.Cursor, err = s.dataText(); err != nil {
			return nil, err
		}
		return func(o *operation) {
			useLater(o, func(ctx context.Context) (outcome, error) {
				page, err := store.List(ctx, options)
				if err != nil {
					return outcome{}, err
				}
				return listed(page), nil
			})
		}, nil
	},
}

// listed: each key has its expiration in decimal digits (0: none), a space, and its metadata. Behind them the cursor.
func listed(page *Page) outcome {
	pairs := make([]pair, len(page.Keys))
	for index, key := range page.Keys {
		value := strconv.FormatUint(uint64(key.Expiration), 10) + " "
		if !isNothing(key.Metadata) {
			value += string(key.Metadata)
		}
		pairs[index] = pair{key.Name, value}
	}
	return outcome{payload: encodePairs(pairs, []byte(page.Cursor)), auxiliary: uint32(len(pairs))}
}

func storeOf(s *submission, c *ioContext, right Right) (Store, error) {
	grant, err := resourceOf[*kvGrant](c, s.resource, "kv")
	if err != nil {
		return nil, err
	}
	if !slices.Contains(grant.rights, right) {
		return nil, failed(StatusNotPermitted, "kv: the namespace was granted without %q", right)
	}
	return grant.store, nil
}

func storeAndKeyOf(s *submission, c *ioContext, right Right) (Store, string, error) {
	store, err := storeOf(s, c, right)
	if err != nil {
		return nil, "", err
	}
	if err := checkBytes("a key", s.nameBytes, kvKeyBytesMax); err != nil {
		return nil, "", err
	}
	key, err := s.name()
	if err == nil && (key == "" || key == "." || key == "..") {
		err = failed(StatusInvalid, "kv: %q is no key", key)
	}
	return store, key, err
}

func checkBytes(what string, bytes, bytesMax uint32) error {
	if bytes > bytesMax {
		return failed(StatusTooBig, "kv: %s has at most %d bytes", what, bytesMax)
	}
	return nil
}

// checkSeconds: not every store refuses what the contract does, or says so in a way that can be understood.
func checkSeconds(what string, seconds uint32, least int64) error {
	if seconds != 0 && (int64(seconds) < least || seconds > kvSecondsMax) {
		return failed(StatusInvalid, "kv: %s is %d to %d seconds", what, least, kvSecondsMax)
	}
	return nil
}

func metadataOf(s *submission) (json.RawMessage, error) {
	if s.metaBytes == 0 {
		return nil, nil
	}
	if err := checkBytes("metadata", s.metaBytes, kvMetadataBytesMax); err != nil {
		return nil, err
	}
	text, err := s.metaText()
	if err != nil {
		return nil, err
	}
	var compact bytes.Buffer
	if err := json.Compact(&compact, []byte(text)); err != nil {
		return nil, failed(StatusInvalid, "kv: metadata is no JSON: %v", err)
	}
	if isNothing(compact.Bytes()) {
		return nil, nil
	}
	return compact.Bytes(), nil
}

func isNothing(metadata json.RawMessage) bool {
	return len(metadata) == 0 || string(metadata) == "null"
}

// use is one call of the store: in this turn if it returns at once, else on one of the context's connections.
func use(o *operation, store Store, call func(context.Context) (outcome, error)) {
	if _, ok := store.(ImmediateStore); ok {
		o.conclude(immediately(o, call))
		return
	}
	useLater(o, call)
}

func useLater(o *operation, call func(context.Context) (outcome, error)) {
	connections := o.context.allConnections()
	connections.take(o, func() {
		var result outcome
		var err error
		o.perform(func(ctx context.Context) { result, err = call(ctx) }, func() {
			connections.handOn()
			o.cancel()
			o.conclude(result, err)
		})
	})
}

// immediately calls inside submit, where a panic would be taken for a trap of the guest's.
func immediately(o *operation, call func(context.Context) (outcome, error)) (result outcome, err error) {
	defer func() {
		if cause := recover(); cause != nil {
			err = o.panicked(cause)
		}
	}()
	return call(o.context.request.exchange.request.Context())
}

func (o *operation) conclude(result outcome, err error) {
	if err != nil {
		o.fail(&failure{storeStatus(err), err.Error()})
		return
	}
	o.succeed(result)
}
