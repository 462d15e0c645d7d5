// Package boltkv keeps a KV namespace in a file, by bbolt: one file, one process, crash-safe. Reads run side by side,
// and writes that come together share one sync to the disk.
package boltkv

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"slices"
	"time"

	"go.etcd.io/bbolt"
	bolterrors "go.etcd.io/bbolt/errors"

	proactor "github.com/wasm-proactor/wasm-proactor/hosts/go"
)

var (
	// Keys, with their values.
	entries = []byte("entries")
	// What ends, by the time of its end: eight bytes of it, and then the key. The values are empty.
	ends = []byte("ends")
)

const (
	// lockWait is how long Open waits for another process to let go of the file.
	lockWait = 5 * time.Second
	// sweepMax bounds the entries that have ended and that one write removes.
	sweepMax = 64
)

// Store is a KV namespace in a file. It implements proactor.Store.
type Store struct{ database *bbolt.DB }

// Open opens the file, which is made if it is not there.
func Open(path string) (*Store, error) {
	database, err := bbolt.Open(path, 0o600, &bbolt.Options{Timeout: lockWait})
	if errors.Is(err, bolterrors.ErrTimeout) {
		return nil, fmt.Errorf("boltkv: %s is open already, here or in another process: %w", path, err)
	}
	if err != nil {
		return nil, fmt.Errorf("boltkv: %s: %w", path, err)
	}
	err = database.Update(func(tx *bbolt.Tx) error {
		for _, name := range [][]byte{entries, ends} {
			if _, err := tx.CreateBucketIfNotExists(name); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		database.Close()
		return nil, fmt.Errorf("boltkv: %s: %w", path, err)
	}
	return &Store{database}, nil
}

// Close closes the file, after what is being read and written.
func (s *Store) Close() error { return s.database.Close() }

// Get reads a value.
func (s *Store) Get(_ context.Context, key string, _ proactor.GetOptions) (value *proactor.Value, err error) {
	err = s.database.View(func(tx *bbolt.Tx) error {
		if e := decode(tx.Bucket(entries).Get([]byte(key))); e.isLive(now()) {
			// The file's memory is ours only until the end of the transaction.
			value = &proactor.Value{Bytes: slices.Clone(e.value), Metadata: slices.Clone(e.metadata)}
		}
		return nil
	})
	return value, err
}

// Put writes a value.
func (s *Store) Put(ctx context.Context, key string, value []byte, options proactor.PutOptions) error {
	return s.write(ctx, func(tx *bbolt.Tx) error {
		e := entry{value: value, metadata: options.Metadata, expiration: options.Expiration}
		if options.ExpirationTTL > 0 {
			e.expiration = now() + options.ExpirationTTL
		}
		if err := remove(tx, []byte(key)); err != nil {
			return err
		}
		if e.expiration > 0 {
			if err := tx.Bucket(ends).Put(endKey(e.expiration, []byte(key)), nil); err != nil {
				return err
			}
		}
		return tx.Bucket(entries).Put([]byte(key), e.encode())
	})
}

// Delete removes a key, if it is there.
func (s *Store) Delete(ctx context.Context, key string) error {
	return s.write(ctx, func(tx *bbolt.Tx) error { return remove(tx, []byte(key)) })
}

// List lists keys in the order of their bytes. A cursor is the last key of the page before.
func (s *Store) List(_ context.Context, options proactor.ListOptions) (*proactor.Page, error) {
	page := &proactor.Page{}
	err := s.database.View(func(tx *bbolt.Tx) error {
		prefix, last, time := []byte(options.Prefix), []byte(options.Cursor), now()
		cursor := tx.Bucket(entries).Cursor()
		for key, bytes := cursor.Seek(slices.MaxFunc([][]byte{prefix, last}, compare)); hasPrefix(key, prefix); key, bytes = cursor.Next() {
			e := decode(bytes)
			if !e.isLive(time) || compare(key, last) <= 0 {
				continue
			}
			if len(page.Keys) == options.Limit {
				page.Cursor = page.Keys[options.Limit-1].Name
				return nil
			}
			listed := proactor.Key{Name: string(key), Expiration: e.expiration, Metadata: slices.Clone(e.metadata)}
			page.Keys = append(page.Keys, listed)
		}
		return nil
	})
	return page, err
}

// write also removes some of what has ended. Who does not want it any more by the time of its turn does not write.
func (s *Store) write(ctx context.Context, change func(*bbolt.Tx) error) error {
	return s.database.Batch(func(tx *bbolt.Tx) error {
		if err := ctx.Err(); err != nil {
			return err
		}
		if err := sweep(tx); err != nil {
			return err
		}
		return change(tx)
	})
}

func sweep(tx *bbolt.Tx) error {
	var ended [][]byte
	cursor, time := tx.Bucket(ends).Cursor(), now()
	for key, _ := cursor.First(); key != nil && len(ended) < sweepMax; key, _ = cursor.Next() {
		if binary.BigEndian.Uint64(key) > uint64(time) {
			break
		}
		ended = append(ended, slices.Clone(key[8:]))
	}
	for _, key := range ended {
		if err := remove(tx, key); err != nil {
			return err
		}
	}
	return nil
}

// remove removes a key and the note of its end.
func remove(tx *bbolt.Tx, key []byte) error {
	bytes := tx.Bucket(entries).Get(key)
	if bytes == nil {
		return nil
	}
	if e := decode(bytes); e.expiration > 0 {
		if err := tx.Bucket(ends).Delete(endKey(e.expiration, key)); err != nil {
			return err
		}
	}
	return tx.Bucket(entries).Delete(key)
}

func endKey(expiration uint32, key []byte) []byte {
	return append(binary.BigEndian.AppendUint64(nil, uint64(expiration)), key...)
}

// entry is what lies under a key: the time of its end, the length of its metadata, the metadata, the value.
type entry struct {
	isThere         bool
	expiration      uint32
	metadata, value []byte
}

const entryHeadBytes = 8

func (e entry) encode() []byte {
	bytes := make([]byte, 0, entryHeadBytes+len(e.metadata)+len(e.value))
	bytes = binary.LittleEndian.AppendUint32(bytes, e.expiration)
	bytes = binary.LittleEndian.AppendUint32(bytes, uint32(len(e.metadata)))
	bytes = append(bytes, e.metadata...)
	return append(bytes, e.value...)
}

// decode gives a view of the bytes; of none, an entry that is not there.
func decode(bytes []byte) entry {
	if len(bytes) < entryHeadBytes {
		return entry{}
	}
	expiration, length := binary.LittleEndian.Uint32(bytes), binary.LittleEndian.Uint32(bytes[4:])
	rest := bytes[entryHeadBytes:]
	return entry{true, expiration, rest[:length], rest[length:]}
}

func (e entry) isLive(time uint32) bool {
	return e.isThere && (e.expiration == 0 || e.expiration > time)
}

func now() uint32 { return uint32(time.Now().Unix()) }

func compare(a, b []byte) int { return bytes.Compare(a, b) }

func hasPrefix(key, prefix []byte) bool { return key != nil && bytes.HasPrefix(key, prefix) }
