package main

import (
	"context"
	"fmt"

	"google.golang.org/grpc/codes"

	"github.com/bearward/bearward/internal/demo"
)

type callCmd struct {
	Addr   string `placeholder:"HOST:PORT" help:"Loopback address of the gRPC server; default the running demo's."`
	Token  string `help:"Access token to send."`
	Stream bool   `help:"The method streams its answers."`
	Method string `arg:"" help:"Full name, for example /orders.v1.Orders/List."`
}

// Run is bearward call.
func (c *callCmd) Run(std streams) error {
	if c.Addr == "" {
		state, err := demo.ReadState()
		if err != nil {
			return err
		}
		c.Addr = state.GRPC
	}
	call := demo.Call{Addr: c.Addr, Method: c.Method, Token: c.Token, Stream: c.Stream}
	reply, err := call.Do(context.Background())
	if err != nil {
		return exitError{exitUsage, err}
	}
	if _, err := fmt.Fprint(std.out, reply); err != nil {
		return err
	}
	if reply.Status.Code() != codes.OK {
		return errRefused
	}
	return nil
}
