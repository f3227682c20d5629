package demo

import (
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/bearward/bearward/validate"
)

// Check executes every case over real sockets, prints a line for each, and
// returns an error unless each had its status and its reason.
func (d *Demo) Check(ctx context.Context, w io.Writer) error {
	ran, failed := 0, 0
	for _, section := range Sections() {
		for _, c := range section.Cases {
			ran++
			if err := d.check(ctx, c); err != nil {
				failed++
				fmt.Fprintf(w, "FAIL  %-7s  %s: %v\n", c.status(), c.What, err)
				continue
			}
			fmt.Fprintf(w, "ok    %-7s  %s\n", c.status(), c.What)
		}
	}
	if failed > 0 {
		return fmt.Errorf("%d of %d cases failed", failed, ran)
	}
	fmt.Fprintf(w, "all %d cases as expected\n", ran)
	return nil
}

// check is one case: status, challenge and nonce on the wire, and the guard's
// reason, which the wire does not show.
func (d *Demo) check(ctx context.Context, c Case) error {
	token, err := fetch(ctx, client(nil), d.TokenURL(c.Token))
	if err != nil {
		return err
	}
	_ = d.observer.take() // of earlier requests
	got, err := d.execute(ctx, c, token)
	if err != nil {
		return err
	}
	if got.status != c.Want {
		return fmt.Errorf("status %d", got.status)
	}
	if want := c.challenged(); got.challenged != want {
		return fmt.Errorf("a challenge: %t, not %t", got.challenged, want)
	}
	if want := c.Code.Class() == validate.UseNonce; want && got.nonce == "" {
		return errors.New("no nonce")
	}
	if code := d.observer.take(); code != c.Code {
		return fmt.Errorf("reason %s, not %s", quoted(code), quoted(c.Code))
	}
	return nil
}

func quoted(c validate.Code) string {
	if c == "" {
		return "none"
	}
	return string(c)
}

// challenged reports that the refusal tells the client how to authenticate.
func (c Case) challenged() bool {
	switch c.Code.Class() {
	case validate.NoToken, validate.BadRequest, validate.BadToken, validate.BadProof, validate.UseNonce, validate.StepUp, validate.MissingScope:
		return true
	}
	return false
}
