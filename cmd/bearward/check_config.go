package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"

	"github.com/bearward/bearward/internal/server"
	"github.com/bearward/bearward/internal/server/config"
)

type checkConfigCmd struct {
	Config string `required:"" placeholder:"FILE" help:"The configuration."`
}

// Run is bearward check-config: everything that serve checks before it listens,
// without a call. It prints what the file does, or every fault.
func (c *checkConfigCmd) Run(std streams) error {
	lines, err := c.check()
	var faults *config.Faults
	switch {
	case errors.As(err, &faults):
		fmt.Fprintln(std.out, err)
		return errRefused
	case err != nil:
		return exitError{exitUsage, err}
	}
	fmt.Fprintln(std.out, strings.Join(lines, "\n"))
	return nil
}

func (c *checkConfigCmd) check() ([]string, error) {
	file, err := config.Check(c.Config)
	if err != nil {
		return nil, err
	}
	service, err := server.New(context.Background(), file, slog.New(slog.DiscardHandler))
	if err != nil {
		return nil, err
	}
	return append([]string{c.Config + " is fine"}, service.Summary()...), service.Close()
}
