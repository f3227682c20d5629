package demo

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"strings"

	"github.com/bearward/bearward/validate"
)

const maxToken = 64 << 10

// Check executes every case over real sockets, prints a line for each, and
// returns an error unless each had its status and its reason.
func (d *Demo) Check(ctx context.Context, w io.Writer) error {
	client := &http.Client{
		Transport:     &http.Transport{DisableKeepAlives: true},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		Timeout:       callTimeout,
	}
	ran, failed := 0, 0
	for _, section := range Sections() {
		for _, c := range section.Cases {
			ran++
			if err := d.check(ctx, client, c); err != nil {
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

// check is one case: status and challenge on the wire, and the guard's reason,
// which the wire does not show.
func (d *Demo) check(ctx context.Context, client *http.Client, c Case) error {
	token, err := fetch(ctx, client, d.TokenURL(c.Token))
	if err != nil {
		return err
	}
	_ = d.observer.take() // of earlier requests
	got, err := d.execute(ctx, client, c, token)
	if err != nil {
		return err
	}
	if got.status != c.Want {
		return fmt.Errorf("status %d", got.status)
	}
	if want := c.challenged(); got.challenged != want {
		return fmt.Errorf("a challenge: %t, not %t", got.challenged, want)
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
	case validate.NoToken, validate.BadRequest, validate.BadToken, validate.StepUp, validate.MissingScope:
		return true
	}
	return false
}

// outcome is what a case brought.
type outcome struct {
	status     int
	challenged bool
}

func (d *Demo) execute(ctx context.Context, client *http.Client, c Case, token string) (outcome, error) {
	method, target := c.split()
	if c.On == GRPC {
		call := Call{Addr: d.GRPC, Method: method, Stream: target == "stream"}
		if len(c.Header) > 0 {
			call.Token = token
		}
		reply, err := call.Do(ctx)
		return outcome{int(reply.Status.Code()), len(reply.Challenge) > 0}, err
	}
	url := strings.ReplaceAll(d.base(c.On)+target, placeholder, token)
	r, err := http.NewRequestWithContext(ctx, method, url, nil)
	if err != nil {
		return outcome{}, err
	}
	for _, h := range c.Header {
		name, value, _ := strings.Cut(strings.ReplaceAll(h, placeholder, token), ": ")
		r.Header.Add(name, value)
	}
	resp, err := client.Do(r)
	if err != nil {
		return outcome{}, err
	}
	return outcome{resp.StatusCode, len(resp.Header["Www-Authenticate"]) > 0}, resp.Body.Close()
}

// fetch returns what a token endpoint answers.
func fetch(ctx context.Context, client *http.Client, url string) (string, error) {
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return "", err
	}
	resp, err := client.Do(r)
	if err != nil {
		return "", err
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(io.LimitReader(resp.Body, maxToken))
	if err == nil && resp.StatusCode != http.StatusOK {
		err = fmt.Errorf("the issuer says: %s", strings.TrimSpace(string(text)))
	}
	return string(text), err
}
