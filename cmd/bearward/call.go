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
	DPoP   bool   `name:"dpop" help:"Send it with a proof, signed here, and once more where a nonce is asked for. The proof is for POST and https://HOST:PORT/package.Service/Method."`
	Key    string `placeholder:"FILE" help:"With --dpop: the client's private key, PKCS #8 in PEM; default the running demo's client's."`
	Stream bool   `help:"The method streams its answers."`
	Method string `arg:"" help:"Full name, for example /orders.v1.Orders/List."`
}

// Run is bearward call.
func (c *callCmd) Run(std streams) error {
	if c.Key != "" && !c.DPoP {
		return usage("--key signs proofs: use it with --dpop")
	}
	if c.Addr == "" {
		state, err := demo.ReadState()
		if err != nil {
			return err
		}
		c.Addr = state.GRPC
	}
	call := demo.Call{Addr: c.Addr, Method: c.Method, Token: c.Token, Stream: c.Stream}
	if c.DPoP {
		var err error
		if call.Key, err = clientKey(c.Key); err != nil {
			return err
		}
	}
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
