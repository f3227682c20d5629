package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"path/filepath"
	"runtime/debug"
	"strings"
	"syscall"

	"github.com/bearward/bearward/internal/demo"
)

type demoCmd struct {
	Check bool   `help:"Execute the lines, report each, and stop. Exit code 0 if all were as expected."`
	Addr  string `placeholder:"127.0.0.1:8080" help:"Loopback address of the net/http API. Without it another port is taken if this one is not free."`
}

// Run is bearward demo.
func (c *demoCmd) Run(std streams) error {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if c.Addr != "" && !demo.Loopback(c.Addr) {
		return usage("--addr %s: the demo hands out tokens to everybody, so it listens on loopback only, like 127.0.0.1:8080", c.Addr)
	}
	if c.Check {
		return c.check(ctx, std)
	}
	d, err := demo.Start(ctx, demo.Options{Addr: c.Addr, Log: std.err})
	if err != nil {
		return err
	}
	remove := publish(d, std.err)
	err = d.Print(std.out, self())
	if err == nil {
		select {
		case <-ctx.Done():
		case err = <-d.Failed():
		}
	}
	return errors.Join(err, remove(), d.Close())
}

// check leaves default ports and the file to a demo that may be running.
func (c *demoCmd) check(ctx context.Context, std streams) error {
	d, err := demo.Start(ctx, demo.Options{Addr: c.Addr, Free: true})
	if err != nil {
		return err
	}
	return errors.Join(d.Check(ctx, std.out), d.Close())
}

// publish lets the other commands find the demo. Without a place for its files
// they do not, and the demo goes on.
func publish(d *demo.Demo, warn io.Writer) (remove func() error) {
	path, err := demo.StatePath()
	if err == nil {
		remove, err = d.Publish(path)
	}
	if err != nil {
		fmt.Fprintf(warn, "bearward: token, proof, call and explain will not find this demo, so that lines with proofs and certificates do not work: %v\n", err)
		return func() error { return nil }
	}
	return remove
}

const (
	module = "github.com/bearward/bearward"
	source = "cmd/bearward"
)

// self is how to start this program again from the same directory.
func self() string {
	if mod, err := os.ReadFile("go.mod"); err == nil && strings.HasPrefix(string(mod), "module "+module+"\n") {
		return "go run ./" + source
	}
	exe, err := os.Executable()
	if err == nil && strings.Contains(exe, string(filepath.Separator)+"go-build") { // go run from elsewhere
		version := "latest"
		if info, ok := debug.ReadBuildInfo(); ok && strings.HasPrefix(info.Main.Version, "v") {
			version = info.Main.Version
		}
		return "go run " + module + "/" + source + "@" + version
	}
	return demo.Quote(os.Args[0])
}
