// Command bearward-extauthz answers the gRPC form of Envoy's external
// authorization (envoy.service.auth.v3.Authorization) by a file of bearward serve
// in mode ext-authz:
//
//	bearward-extauthz --config FILE
//
// It is bearward serve in everything else: listeners, admin, reload, signals. It is
// a module of its own because of Envoy's types.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"syscall"

	"github.com/bearward/bearward/internal/server"
	"github.com/bearward/bearward/internal/server/config"
)

func main() {
	path := flag.String("config", "", "the `FILE` of bearward serve, in mode ext-authz")
	flag.Parse()
	if *path == "" || flag.NArg() > 0 {
		flag.Usage()
		os.Exit(2)
	}
	if err := run(*path); err != nil {
		fmt.Fprintln(os.Stderr, "bearward-extauthz:", err)
		os.Exit(1)
	}
}

var errMode = errors.New("the mode of the file is not ext-authz")

// run serves until SIGINT or SIGTERM; SIGHUP reads the file again.
func run(path string) error {
	file, err := config.Load(path)
	if err != nil {
		return err
	}
	if file.Mode != "ext-authz" {
		return errMode
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	hangup := make(chan os.Signal, 1)
	signal.Notify(hangup, syscall.SIGHUP)
	defer signal.Stop(hangup)
	return server.RunBehind(ctx, front, file, hangup, os.Stdout)
}
