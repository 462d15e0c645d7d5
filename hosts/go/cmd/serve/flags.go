package main

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"regexp"
	"strconv"
	"strings"

	proactor "github.com/wasm-proactor/wasm-proactor/hosts/go"
	"github.com/wasm-proactor/wasm-proactor/hosts/go/boltkv"
)

const usage = `serve app.wasm [--host 127.0.0.1] [--port 8787] [--isolation pooled]
      [--kv NAME[:rights][=path]]… [--origin NAME=url[,url…]]…

  --host       where to listen
  --port       0 takes a free one
  --isolation  request, pooled or shared: how far a trap reaches
  --kv         grants a KV namespace: in memory, or in the file "path"; rights are read,write,list or some of them
  --origin     grants HTTP origins
`

const portMax = 65_535

// flags are what is served, where, and what it may reach. The same in every host, whatever its language.
type flags struct {
	module    string
	host      string
	port      int
	isolation proactor.Isolation
	kv        []kvFlag
	origins   []originFlag
}

// kvFlag is one --kv. Without rights it has all, and without a path it is in memory.
type kvFlag struct {
	name   string
	rights []proactor.Right
	path   string
}

type originFlag struct {
	name string
	urls []string
}

func parseFlags(arguments []string) (*flags, error) {
	f := &flags{}
	set := flag.NewFlagSet("serve", flag.ContinueOnError)
	set.SetOutput(io.Discard)
	set.StringVar(&f.host, "host", "127.0.0.1", "")
	port := set.String("port", "8787", "")
	isolation := set.String("isolation", string(proactor.Pooled), "")
	set.Func("kv", "", f.addKV)
	set.Func("origin", "", f.addOrigin)
	modules, err := parseAll(set, arguments)
	if errors.Is(err, flag.ErrHelp) {
		return nil, err
	}
	if err != nil {
		return nil, err
	}
	if len(modules) != 1 {
		return nil, errors.New("give one module, as in: serve app.wasm")
	}
	f.module = modules[0]
	if f.port, err = strconv.Atoi(*port); err != nil || f.port < 0 || f.port > portMax {
		return nil, fmt.Errorf("--port takes 0 to %d, not %s", portMax, *port)
	}
	f.isolation = proactor.Isolation(*isolation)
	switch f.isolation {
	case proactor.Request, proactor.Pooled, proactor.Shared:
		return f, nil
	}
	return nil, fmt.Errorf("--isolation takes request, pooled, shared, not %s", *isolation)
}

// parseAll lets flags stand behind the module too.
func parseAll(set *flag.FlagSet, arguments []string) (rest []string, err error) {
	for {
		if err := set.Parse(arguments); err != nil {
			return nil, err
		}
		if set.NArg() == 0 {
			return rest, nil
		}
		rest = append(rest, set.Arg(0))
		arguments = set.Args()[1:]
	}
}

var kvPattern = regexp.MustCompile(`(?s)^([^:=]+)(?::([^=]*))?(?:=(.+))?$`)

func (f *flags) addKV(text string) error {
	parts := kvPattern.FindStringSubmatch(text)
	if parts == nil {
		return errors.New("it takes NAME, NAME=file or NAME:read,list=file")
	}
	added := kvFlag{name: parts[1], path: parts[3]}
	if strings.HasPrefix(text[len(added.name):], ":") {
		added.rights = []proactor.Right{}
		for _, right := range strings.Split(parts[2], ",") {
			added.rights = append(added.rights, proactor.Right(right))
		}
	}
	f.kv = append(f.kv, added)
	return nil
}

func (f *flags) addOrigin(text string) error {
	name, urls, ok := strings.Cut(text, "=")
	if !ok || name == "" || urls == "" {
		return errors.New("it takes NAME=https://api.example.com")
	}
	f.origins = append(f.origins, originFlag{name, strings.Split(urls, ",")})
	return nil
}

// granted is what the flags grant, and the stores behind it.
type granted struct {
	resources map[string]proactor.Grant
	stores    []io.Closer
}

func (f *flags) grant() (*granted, error) {
	g := &granted{resources: map[string]proactor.Grant{}}
	for _, kv := range f.kv {
		store, err := g.open(kv.path)
		if err == nil {
			err = g.add(kv.name, proactor.KV(store, kv.rights...))
		}
		if err != nil {
			return nil, err
		}
	}
	for _, origin := range f.origins {
		if err := g.add(origin.name, proactor.Origin(origin.urls...)); err != nil {
			return nil, err
		}
	}
	return g, nil
}

func (g *granted) open(path string) (proactor.Store, error) {
	if path == "" {
		return proactor.MemoryStore(), nil
	}
	store, err := boltkv.Open(path)
	if err == nil {
		g.stores = append(g.stores, store)
	}
	return store, err
}

func (g *granted) add(name string, grant proactor.Grant) error {
	if _, ok := g.resources[name]; ok {
		return fmt.Errorf("%s is granted twice", name)
	}
	g.resources[name] = grant
	return nil
}

func (g *granted) close() {
	for _, store := range g.stores {
		store.Close()
	}
}
