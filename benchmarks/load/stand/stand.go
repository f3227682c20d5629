// Package stand is what the servers under load have in common: a handler that
// answers 200 with a small body, an issuer, tokens, a socket on loopback and an
// end. They differ in what is before the handler.
package stand

import (
	"bufio"
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"maps"
	"net"
	"net/http"
	"os"
	"slices"
	"time"

	"github.com/bearward/bearward/internal/issuer"
)

// API is what a Variant protects.
type API struct {
	Issuer   string // the only one, on loopback by plain http; its key set is at /jwks
	Audience string
}

// Variant returns what it puts before the handler. closer, nil if there is
// nothing to close, is closed after the last request.
type Variant func(ctx context.Context, api API) (wrap func(http.Handler) http.Handler, closer io.Closer, err error)

// Body is of every answer with status 200.
const Body = `{"ok":true}`

// options are the flags.
type options struct {
	variant, addr, issuer, algorithm, jkt, file string
	tokens                                      int
	life                                        time.Duration
}

func parse(args []string, variants map[string]Variant) (o options, err error) {
	f := flag.NewFlagSet("server", flag.ContinueOnError)
	f.StringVar(&o.variant, "variant", "", fmt.Sprintf("one of %q", slices.Sorted(maps.Keys(variants))))
	f.StringVar(&o.addr, "addr", "127.0.0.1:0", "`address` to listen on, of loopback")
	f.StringVar(&o.issuer, "issuer", "", "`URL` of a running issuer; by default the server has one of its own")
	f.StringVar(&o.algorithm, "alg", "RS256", "signature `algorithm` of the own issuer")
	f.IntVar(&o.tokens, "tokens", 0, "write so many tokens of the own issuer to the file that is the argument, one a line")
	f.StringVar(&o.jkt, "jkt", "", "bind the tokens to the key with this `thumbprint`")
	f.DurationVar(&o.life, "for", 10*time.Minute, "end after this time")
	if err := f.Parse(args); err != nil {
		return o, err
	}
	o.file = f.Arg(0)
	switch {
	case variants[o.variant] == nil:
		return o, fmt.Errorf("there is no variant %q", o.variant)
	case f.NArg() > 1 || (o.tokens > 0) != (o.file != "") || o.tokens < 0:
		return o, errors.New("-tokens N goes with one argument, the file")
	case o.issuer != "" && o.tokens > 0:
		return o, errors.New("the tokens of another issuer cannot be made here")
	}
	return o, nil
}

// Run serves one of the variants until the context or its time ends. It prints
// a line "issuer URL" and, when requests can come, "listening ADDRESS".
func Run(ctx context.Context, args []string, out io.Writer, variants map[string]Variant) (err error) {
	o, err := parse(args, variants)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, o.life)
	defer cancel()
	if o.issuer == "" {
		own, err := NewIssuer(o.algorithm)
		if err != nil {
			return err
		}
		defer own.Close() //nolint:errcheck // nothing is lost
		if err := o.write(ctx, own); err != nil {
			return err
		}
		o.issuer = own.URL()
	}
	wrap, closer, err := variants[o.variant](ctx, API{o.issuer, issuer.DefaultAudience})
	if err != nil {
		return err
	}
	if closer != nil {
		defer func() { err = errors.Join(err, closer.Close()) }()
	}
	l, err := net.Listen("tcp", o.addr)
	if err != nil {
		return err
	}
	if tcp, ok := l.Addr().(*net.TCPAddr); !ok || !tcp.IP.IsLoopback() {
		return errors.Join(fmt.Errorf("%s is not a loopback address", l.Addr()), l.Close())
	}
	fmt.Fprintf(out, "issuer %s\nlistening %s\n", o.issuer, l.Addr())
	return serve(ctx, l, wrap(http.HandlerFunc(answer)))
}

func answer(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Type", "application/json")
	_, _ = io.WriteString(w, Body)
}

func serve(ctx context.Context, l net.Listener, handler http.Handler) error {
	s := &http.Server{Handler: handler, ReadHeaderTimeout: 10 * time.Second}
	ended := make(chan error, 1)
	go func() { ended <- s.Serve(l) }()
	select {
	case err := <-ended:
		return err
	case <-ctx.Done():
	}
	grace, cancel := context.WithTimeout(context.WithoutCancel(ctx), time.Second)
	defer cancel()
	if s.Shutdown(grace) != nil {
		_ = s.Close()
	}
	if err := <-ended; !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	return nil
}

// write makes the tokens that were asked for.
func (o *options) write(ctx context.Context, own *issuer.Server) error {
	if o.tokens == 0 {
		return nil
	}
	tokens, err := Mint(ctx, own, o.tokens, o.jkt)
	if err != nil {
		return err
	}
	return WriteLines(o.file, tokens)
}

// WriteLines writes a file of lines.
func WriteLines(name string, lines []string) error {
	f, err := os.Create(name)
	if err != nil {
		return err
	}
	w := bufio.NewWriter(f)
	for _, line := range lines {
		fmt.Fprintln(w, line)
	}
	return errors.Join(w.Flush(), f.Close())
}
