// Serve answers HTTP requests by a module:
//
//	serve app.wasm [--host 127.0.0.1] [--port 8787] [--isolation pooled]
//	      [--kv NAME[:rights][=path]]… [--origin NAME=url[,url…]]…
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/signal"
	"strconv"
	"syscall"
	"time"

	proactor "github.com/wasm-proactor/wasm-proactor/hosts/go"
)

// badUse is the exit code for what the caller can put right.
const badUse = 2

// patience is how long the end may take that should come at once.
const patience = 3 * time.Second

func main() {
	serving, err := start(os.Args[1:])
	if errors.Is(err, flag.ErrHelp) {
		fmt.Print(usage)
		return
	}
	if err != nil {
		// What keeps a host from starting is what it was given: a flag, a module, a port.
		fmt.Fprintln(os.Stderr, err)
		os.Exit(badUse)
	}
	signals := make(chan os.Signal, 2)
	signal.Notify(signals, os.Interrupt, syscall.SIGTERM)
	fmt.Printf("listening on http://%s\n", serving.listener.Addr())
	if err := serving.untilEnded(signals); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// serving is a host that listens.
type serving struct {
	app      *proactor.Proactor
	server   *http.Server
	listener net.Listener
	granted  *granted
}

func start(arguments []string) (*serving, error) {
	flags, err := parseFlags(arguments)
	if err != nil {
		return nil, err
	}
	wasm, err := os.ReadFile(flags.module)
	if err != nil {
		return nil, err
	}
	granted, err := flags.grant()
	if err != nil {
		return nil, err
	}
	ctx := context.Background()
	app, err := proactor.New(ctx, wasm, proactor.Options{Resources: granted.resources, Isolation: flags.isolation})
	if err != nil {
		return nil, err
	}
	listener, err := net.Listen("tcp", net.JoinHostPort(flags.host, strconv.Itoa(flags.port)))
	if err != nil {
		return nil, err
	}
	return &serving{app, &http.Server{Handler: app}, listener, granted}, nil
}

// untilEnded serves until the last answer is sent: gracefully after the first signal, at once after the second.
func (s *serving) untilEnded(signals <-chan os.Signal) error {
	defer s.granted.close()
	failed := make(chan error, 1)
	go func() { failed <- s.server.Serve(s.listener) }()
	select {
	case err := <-failed:
		return err
	case <-signals:
	}
	ctx, hurry := context.WithCancel(context.Background())
	defer hurry()
	go func() {
		<-signals
		hurry()
		// A guest that loops for ever holds its instance: without a limit of time nobody can take it away.
		time.AfterFunc(patience, func() { os.Exit(1) })
	}()
	// The guests first: their last answers still have to be sent.
	err := errors.Join(s.app.Shutdown(ctx), s.server.Shutdown(ctx))
	if ctx.Err() != nil {
		return errors.Join(s.app.Close(), s.server.Close())
	}
	return err
}
