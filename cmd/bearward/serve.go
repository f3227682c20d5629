package main

import (
	"context"
	"errors"
	"os"
	"os/signal"
	"syscall"

	"github.com/bearward/bearward/internal/server"
	"github.com/bearward/bearward/internal/server/config"
)

type serveCmd struct {
	Config string `required:"" placeholder:"FILE" help:"The configuration."`
}

// Run is bearward serve: until SIGINT or SIGTERM, the second of which ends it at
// once. SIGHUP reads the configuration again.
func (c *serveCmd) Run(std streams) error {
	file, err := load(c.Config)
	if err != nil {
		return err
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	hangup := make(chan os.Signal, 1)
	signal.Notify(hangup, syscall.SIGHUP) // Windows has none: there the file's content tells
	defer signal.Stop(hangup)
	defer context.AfterFunc(ctx, stop)()
	return faulty(server.Run(ctx, file, hangup, std.out))
}

// load reads the file. Its faults are the caller's.
func load(path string) (*config.File, error) {
	file, err := config.Load(path)
	if errors.Is(err, os.ErrNotExist) {
		return nil, exitError{exitUsage, err}
	}
	return file, faulty(err)
}

// faulty makes the faults of a file the caller's, each on a line that begins
// with its place.
func faulty(err error) error {
	var faults *config.Faults
	if !errors.As(err, &faults) {
		return err
	}
	return usage("the configuration is faulty:\n%w", err)
}
