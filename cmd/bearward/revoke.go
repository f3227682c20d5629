package main

import (
	"context"
	"fmt"
	"time"

	"github.com/bearward/bearward/internal/server"
	"github.com/bearward/bearward/validate"
)

type revokeCmd struct {
	Config string `required:"" placeholder:"FILE" help:"The serve file with the revocation list."`
	Issuer string `required:"" placeholder:"ISSUER" help:"The issuer's identifier, or its name in the file."`

	JTI    string `name:"jti" xor:"what" required:"" placeholder:"ID" help:"This token."`
	Sub    string `name:"sub" xor:"what" required:"" placeholder:"SUBJECT" help:"Every token of this user that was issued until now, or before --before."`
	SID    string `name:"sid" xor:"what" required:"" placeholder:"ID" help:"Every token of this session."`
	Client string `name:"client" xor:"what" required:"" placeholder:"ID" help:"Every token of this client."`

	Before time.Time     `format:"2006-01-02T15:04:05Z07:00" placeholder:"TIME" help:"With --sub: an instant like 2026-11-24T12:00:00Z."`
	For    time.Duration `placeholder:"DURATION" help:"Keep the entry for longer than the file's retention."`
}

// Run is bearward revoke.
func (c *revokeCmd) Run(std streams) error {
	file, err := load(c.Config)
	if err != nil {
		return err
	}
	now := time.Now()
	e := validate.RevocationEntry{
		Issuer: c.Issuer, ID: c.JTI, Subject: c.Sub, Session: c.SID, ClientID: c.Client, Before: c.Before,
	}
	if c.Sub != "" && c.Before.IsZero() {
		e.Before = now
	}
	if c.For > 0 {
		e.Until = now.Add(c.For)
	}
	if err := e.Check(); err != nil {
		return usage("%w", err)
	}
	if err := server.Revoke(context.Background(), file, e); err != nil {
		return err
	}
	fmt.Fprintln(std.out, "revoked")
	return nil
}
