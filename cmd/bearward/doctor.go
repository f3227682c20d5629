package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/signal"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"github.com/bearward/bearward/internal/doctor"
	"github.com/bearward/bearward/internal/server/config"
)

type doctorCmd struct {
	Config  string        `required:"" placeholder:"FILE" help:"The serve file whose surroundings are looked at."`
	Via     string        `placeholder:"URL" help:"The API as its clients reach it: what the proxy in front does with requests is looked at, too. Nothing that is sent has a valid token."`
	ViaCA   string        `name:"via-ca" placeholder:"FILE" help:"With --via: a PEM file of the authorities that are trusted, in place of the system's."`
	ViaAt   string        `name:"via-address" placeholder:"HOST:PORT" help:"With --via: connect there, whatever the name of the URL leads to."`
	JSON    bool          `name:"json" help:"Print the findings as JSON."`
	Timeout time.Duration `default:"10s" placeholder:"DURATION" help:"End after this time, with what was found until then."`
}

// Run is bearward doctor.
func (c *doctorCmd) Run(std streams) error {
	if c.Timeout <= 0 {
		return usage("--timeout is more than 0s")
	}
	if c.ViaCA+c.ViaAt != "" && c.Via == "" {
		return usage("--via-ca and --via-address are about --via")
	}
	if _, _, err := net.SplitHostPort(c.ViaAt); c.ViaAt != "" && err != nil {
		return usage("--via-address is HOST:PORT")
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	report, err := c.examine(ctx)
	if err != nil {
		return err
	}
	if err := c.print(std, report); err != nil {
		return err
	}
	if report.Errors > 0 {
		return errRefused
	}
	return nil
}

// examine makes the faults of the file findings like others. A file that cannot
// be read is the caller's mistake.
func (c *doctorCmd) examine(ctx context.Context) (doctor.Report, error) {
	file, err := config.Load(c.Config)
	var faults *config.Faults
	switch {
	case errors.As(err, &faults):
		return doctor.Faults(err), nil
	case err != nil:
		return doctor.Report{}, exitError{exitUsage, err}
	}
	return doctor.Run(ctx, file, doctor.Options{Via: c.Via, ViaCA: c.ViaCA, ViaAt: c.ViaAt, Timeout: c.Timeout}), nil
}

func (c *doctorCmd) print(std streams, report doctor.Report) error {
	if !c.JSON {
		_, err := fmt.Fprint(std.out, report)
		return err
	}
	if err := json.MarshalWrite(std.out, report, jsontext.WithIndent("  ")); err != nil {
		return err
	}
	_, err := fmt.Fprintln(std.out)
	return err
}
