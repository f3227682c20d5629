package demo

import (
	"context"
	"fmt"
	"io"
	"sync"

	"github.com/bearward/bearward/middleware"
	"github.com/bearward/bearward/validate"
)

// observer writes down why requests were refused: the wire says less, on
// purpose.
type observer struct {
	mu   sync.Mutex
	out  io.Writer // nil: nowhere
	last validate.Code
}

// Observe remembers the code and prints refusals.
func (o *observer) Observe(_ context.Context, e middleware.Event) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.last = e.Code
	if o.out == nil || e.Allowed {
		return
	}
	path := e.Path
	if len(path) > 100 {
		path = path[:100]
	}
	fmt.Fprintf(o.out, "refused %s %q: %s\n        %s\n", e.Method, path, e.Code, e.Code.Fix())
}

// take returns the code of the last decision and forgets it.
func (o *observer) take() validate.Code {
	o.mu.Lock()
	defer o.mu.Unlock()
	code := o.last
	o.last = ""
	return code
}
