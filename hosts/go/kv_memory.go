package proactor

import (
	"context"
	"encoding/json"
	"slices"
	"strings"
	"sync"
	"time"
)

// memoryStore is the store of tests, and of every host that has no other.
type memoryStore struct {
	now     func() time.Time
	mutex   sync.RWMutex
	entries map[string]memoryEntry
}

type memoryEntry struct {
	value      []byte
	metadata   json.RawMessage
	expiration uint32
}

var _ ImmediateStore = (*memoryStore)(nil)

// MemoryStore is a store that ends with the process.
func MemoryStore() Store {
	return &memoryStore{now: time.Now, entries: map[string]memoryEntry{}}
}

// Immediate says that reading and writing is a look at a map.
func (*memoryStore) Immediate() {}

func (m *memoryStore) isLive(entry memoryEntry) bool {
	return entry.expiration == 0 || int64(entry.expiration) > m.now().Unix()
}

func (m *memoryStore) Get(_ context.Context, key string, _ GetOptions) (*Value, error) {
	m.mutex.RLock()
	entry, ok := m.entries[key]
	m.mutex.RUnlock()
	if !ok || !m.isLive(entry) {
		return nil, nil
	}
	return &Value{Bytes: entry.value, Metadata: entry.metadata}, nil
}

func (m *memoryStore) Put(_ context.Context, key string, value []byte, options PutOptions) error {
	entry := memoryEntry{value, options.Metadata, options.Expiration}
	if options.ExpirationTTL > 0 {
		entry.expiration = uint32(m.now().Unix()) + options.ExpirationTTL
	}
	m.mutex.Lock()
	m.entries[key] = entry
	m.mutex.Unlock()
	return nil
}

func (m *memoryStore) Delete(_ context.Context, key string) error {
	m.mutex.Lock()
	delete(m.entries, key)
	m.mutex.Unlock()
	return nil
}

func (m *memoryStore) List(_ context.Context, options ListOptions) (*Page, error) {
	keys := m.after(options.Prefix, options.Cursor)
	if len(keys) <= options.Limit {
		return &Page{Keys: keys}, nil
	}
	keys = keys[:options.Limit]
	return &Page{Keys: keys, Cursor: keys[len(keys)-1].Name}, nil
}

// after is every key with the prefix behind the cursor, in order. What has ended is forgotten on the way.
func (m *memoryStore) after(prefix, cursor string) []Key {
	m.mutex.Lock()
	defer m.mutex.Unlock()
	var keys []Key
	for name, entry := range m.entries {
		if !m.isLive(entry) {
			delete(m.entries, name)
		} else if strings.HasPrefix(name, prefix) && name > cursor {
			keys = append(keys, Key{name, entry.expiration, entry.metadata})
		}
	}
	slices.SortFunc(keys, func(a, b Key) int { return strings.Compare(a.Name, b.Name) })
	return keys
}
